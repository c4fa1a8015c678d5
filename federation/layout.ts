import { type ClusterId, isClusterId } from '../etl/cluster-id';
import {
  parseWindowFile,
  type WindowFile,
  type WindowId,
  windowId,
  windowName,
  type WindowRef,
} from '../etl/window';

/**
 * Every key of the bucket, built and parsed here and nowhere else. `docs/design/bucket-format.md` lists the writers and
 * readers of each.
 */

/** Everything federated; each folder directly under it except `combined` is a cluster. */
export const federatedPrefix = 'federated/';
export const combinedPrefix = 'federated/combined/';
export const combinedEtlPrefix = 'federated/combined/etl/bingen/';
export const objectsPrefix = 'federated/combined/objects/';
export const generationsPrefix = 'federated/combined/generations/';
export const keptPrefix = 'federated/combined/kept/';
export const runsPrefix = 'federated/combined/runs/';
export const publishedKey = 'federated/combined/published.json';
/** The record of the last full listing of the clusters. */
export const fullListingKey = 'federated/combined/full-listing.json';
/** When each object that no kept generation names was first seen. */
export const unreferencedKey = 'federated/combined/unreferenced.json';

/** An object that `doctor` or a role's start writes to test the store, below the role's own prefix; deleted at once. */
export function probeKey(prefix: string, id: string): string {
  return `${prefix}probe/${id}`;
}

/** The cluster of a prefix directly under `federated/`; undefined for `combined` and names that no cluster can have. */
export function parseClusterPrefix(prefix: string): ClusterId | undefined {
  if (!prefix.startsWith(federatedPrefix) || !prefix.endsWith('/')) return undefined;
  const text = prefix.slice(federatedPrefix.length, -1);
  return isClusterId(text) ? text : undefined;
}

/** A cluster's ETL files: Federated Storage. */
export function clusterEtlPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/etl/bingen/`;
}

/** Everything of a cluster. */
export function clusterPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/`;
}

/** A local ETL file's key in Federated Storage; `path` is the file's below `bingen/`. */
export function clusterEtlKey(cluster: ClusterId, path: string): string {
  return clusterEtlPrefix(cluster) + path;
}

/** Reads a key below a cluster's or the combined ETL prefix. */
export function parseEtlKey(prefix: string, key: string): WindowFile | undefined {
  return key.startsWith(prefix) ? parseWindowFile(key.slice(prefix.length)) : undefined;
}

/** The published file of a combined window, for any reader of Kubecost's layout. */
export function combinedEtlKey(window: WindowRef | WindowId): string {
  return combinedEtlPrefix + (typeof window === 'string' ? window : windowId(window));
}

/** A merged window, immutable. */
export function objectKey(fingerprint: string): string {
  return objectsPrefix + fingerprint;
}

/** A merged window's provenance. Written last: if it exists, the object is finished. */
export function provenanceKey(fingerprint: string): string {
  return `${objectsPrefix}${fingerprint}.json`;
}

/** Reads a key below `objects/`. */
export function parseObjectKey(key: string): { fingerprint: string; provenance: boolean } | undefined {
  const match = /^([0-9a-f]{64})(\.json)?$/.exec(
    key.startsWith(objectsPrefix) ? key.slice(objectsPrefix.length) : '',
  );
  return match?.[1] === undefined ? undefined : { fingerprint: match[1], provenance: match[2] !== undefined };
}

/** Padded, so that a listing is in the order of the numbers. */
export function generationKey(generation: number): string {
  return `${generationsPrefix}${String(generation).padStart(12, '0')}.json`;
}

export function parseGenerationKey(key: string): number | undefined {
  const match = /^(\d{12})\.json$/.exec(
    key.startsWith(generationsPrefix) ? key.slice(generationsPrefix.length) : '',
  );
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** A cluster's last good contribution to a window, once its source is gone or bad. */
export function keptKey(cluster: ClusterId, window: WindowId): string {
  return `${keptPrefix}${cluster}/${window}`;
}

/** A run's request; its first object. */
export function runRequestKey(run: string): string {
  return `${runsPrefix}${run}/request.json`;
}

/** A shard of a run's plan. */
export function runPlanKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/plan-${attempt}-${shard}.json`;
}

/** The results of a shard of a run's plan. */
export function runOutcomeKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/outcome-${attempt}-${shard}.json`;
}

/** A run's report; its last object. */
export function runReportKey(run: string): string {
  return `${runsPrefix}${run}/report.json`;
}

/** Reads a key or a prefix below `runs/`. */
export function parseRunKey(key: string): { run: string; file: string } | undefined {
  const match = /^([^/]+)\/(.*)$/.exec(key.startsWith(runsPrefix) ? key.slice(runsPrefix.length) : '');
  return match?.[1] === undefined ? undefined : { run: match[1], file: match[2] ?? '' };
}

/** Backups of a cluster's local ETL. Outside of `federated/`, where they would be taken for a cluster. */
export function backupsPrefix(cluster: ClusterId): string {
  return `federated-etl/backups/${cluster}/`;
}

/** One backup; `time` names it. */
export function backupPrefix(cluster: ClusterId, time: string): string {
  return `${backupsPrefix(cluster)}${time}/`;
}

/** A file of a backup; `path` is the file's below `bingen/`. */
export function backupFileKey(cluster: ClusterId, time: string, path: string): string {
  return `${backupPrefix(cluster, time)}bingen/${path}`;
}

/** The list of a backup's files; written last. */
export function backupManifestKey(cluster: ClusterId, time: string): string {
  return `${backupPrefix(cluster, time)}manifest.json`;
}

/** The head of a run's plan, for the commit; written after its shards. */
export function runPlanHeadKey(run: string, attempt: number): string {
  return `${runsPrefix}${run}/plan-${attempt}.json`;
}

/** The quarantined sources of one planned window. */
export function runQuarantineKey(run: string, attempt: number, shard: number, index: number): string {
  return `${runsPrefix}${run}/quarantine-${attempt}-${shard}-${index}.json`;
}

/** The export of the combined set for other query engines; the paths below it are those of any export. */
export const exportPrefix = 'federated/combined/export/';

/** A window in an export. */
export interface ExportedFile {
  /** The version of the columns. */
  readonly version: number;
  readonly format: 'parquet' | 'csv';
  readonly ref: WindowRef;
  /** SHA-256 of the window file; shortened as in the path when parsed. */
  readonly digest: string;
}

const exportEndings = { parquet: 'parquet', csv: 'csv.gz' } as const;

/** A window's path below an export's root, in Hive-style folders. */
export function exportPath({ version, format, ref, digest }: ExportedFile): string {
  const day = new Date(ref.window.start * 1000).toISOString().slice(0, 10);
  const name = `${windowName(ref.window)}-${digest.slice(0, 12)}.${exportEndings[format]}`;
  return `${exportTablesPath(version, format)}${ref.pipeline}/resolution=${ref.resolution}/day=${day}/${name}`;
}

/** All windows of a version and a format, below an export's root. Engines read every file in a table's folder. */
export function exportTablesPath(version: number, format: ExportedFile['format']): string {
  return `v${version}/${format}/`;
}

/** The list of a version's columns, below an export's root. */
export function exportSchemaPath(version: number): string {
  return `v${version}/schema.json`;
}

/** Parses a path of `exportPath`; undefined for anything else. */
export function parseExportPath(path: string): ExportedFile | undefined {
  const match =
    /^v(\d{1,6})\/(parquet|csv)\/([^/]+)\/resolution=([^/]+)\/day=[^/]+\/(\d+-\d+)-([0-9a-f]{12})\.[a-z.]+$/.exec(
      path,
    );
  if (match === null) return undefined;
  const [, version, format, pipeline, resolution, name, digest = ''] = match;
  const ref = parseWindowFile(`${pipeline}/${resolution}/${name}`)?.ref;
  if (ref === undefined) return undefined;
  const file = { version: Number(version), format: format as ExportedFile['format'], ref, digest };
  return exportPath(file) === path ? file : undefined;
}
