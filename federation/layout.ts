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
 * All keys of the bucket. They are built and parsed here and nowhere else. `docs/design/bucket-format.md` lists the
 * writers and readers of each key.
 */

/** Prefix of everything federated. Each folder directly under it except `combined` belongs to a cluster. */
export const federatedPrefix = 'federated/';
export const combinedPrefix = 'federated/combined/';
export const combinedEtlPrefix = 'federated/combined/etl/bingen/';
export const objectsPrefix = 'federated/combined/objects/';
export const generationsPrefix = 'federated/combined/generations/';
export const keptPrefix = 'federated/combined/kept/';
export const runsPrefix = 'federated/combined/runs/';
export const publishedKey = 'federated/combined/published.json';
/** Key of the record of the last full listing of the clusters. */
export const fullListingKey = 'federated/combined/full-listing.json';
/** Key of the record of objects that no kept generation names, and of the time when the clean-up first found this. */
export const unreferencedKey = 'federated/combined/unreferenced.json';

/**
 * Key of an object that `doctor`, or a role when it starts, writes to test the store. It is below the role's own
 * prefix, and is deleted at once.
 */
export function probeKey(prefix: string, id: string): string {
  return `${prefix}probe/${id}`;
}

/** Parses a prefix directly under `federated/`; undefined for `combined` and for names that no cluster can have. */
export function parseClusterPrefix(prefix: string): ClusterId | undefined {
  if (!prefix.startsWith(federatedPrefix) || !prefix.endsWith('/')) return undefined;
  const text = prefix.slice(federatedPrefix.length, -1);
  return isClusterId(text) ? text : undefined;
}

/** Prefix of a cluster's ETL files, which are its part of Federated Storage. */
export function clusterEtlPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/etl/bingen/`;
}

/** Prefix of everything that belongs to a cluster. */
export function clusterPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/`;
}

/** Key of a local ETL file in Federated Storage; `path` is the file's path below `bingen/`. */
export function clusterEtlKey(cluster: ClusterId, path: string): string {
  return clusterEtlPrefix(cluster) + path;
}

/** Parses a key below the ETL prefix of a cluster or of the combined set. */
export function parseEtlKey(prefix: string, key: string): WindowFile | undefined {
  return key.startsWith(prefix) ? parseWindowFile(key.slice(prefix.length)) : undefined;
}

/** Key of the published file of a combined window, for any reader of Kubecost's layout. */
export function combinedEtlKey(window: WindowRef | WindowId): string {
  return combinedEtlPrefix + (typeof window === 'string' ? window : windowId(window));
}

/** Key of a merged window, an immutable object. */
export function objectKey(fingerprint: string): string {
  return objectsPrefix + fingerprint;
}

/** Key of a merged window's provenance. The provenance is written last: if it exists, the object is finished. */
export function provenanceKey(fingerprint: string): string {
  return `${objectsPrefix}${fingerprint}.json`;
}

/** Parses a key below `objects/`. */
export function parseObjectKey(key: string): { fingerprint: string; provenance: boolean } | undefined {
  const match = /^([0-9a-f]{64})(\.json)?$/.exec(
    key.startsWith(objectsPrefix) ? key.slice(objectsPrefix.length) : '',
  );
  return match?.[1] === undefined ? undefined : { fingerprint: match[1], provenance: match[2] !== undefined };
}

/** Key of a generation. Its number is padded, so that a listing is in the order of the numbers. */
export function generationKey(generation: number): string {
  return `${generationsPrefix}${String(generation).padStart(12, '0')}.json`;
}

export function parseGenerationKey(key: string): number | undefined {
  const match = /^(\d{12})\.json$/.exec(
    key.startsWith(generationsPrefix) ? key.slice(generationsPrefix.length) : '',
  );
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/**
 * Key of a cluster's last good contribution to a window. It is written when the cluster's source turns out to be gone
 * or bad.
 */
export function keptKey(cluster: ClusterId, window: WindowId): string {
  return `${keptPrefix}${cluster}/${window}`;
}

/** Key of a run's request, which is the first object of the run. */
export function runRequestKey(run: string): string {
  return `${runsPrefix}${run}/request.json`;
}

/** Key of a shard of a run's plan. */
export function runPlanKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/plan-${attempt}-${shard}.json`;
}

/** Key of the results of a shard of a run's plan. */
export function runOutcomeKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/outcome-${attempt}-${shard}.json`;
}

/** Key of a run's report, which is the last object of the run. */
export function runReportKey(run: string): string {
  return `${runsPrefix}${run}/report.json`;
}

/** Parses a key or a prefix below `runs/`. */
export function parseRunKey(key: string): { run: string; file: string } | undefined {
  const match = /^([^/]+)\/(.*)$/.exec(key.startsWith(runsPrefix) ? key.slice(runsPrefix.length) : '');
  return match?.[1] === undefined ? undefined : { run: match[1], file: match[2] ?? '' };
}

/**
 * Prefix of a cluster's backups of its local ETL. It is not below `federated/`, where it would be mistaken for a
 * cluster.
 */
export function backupsPrefix(cluster: ClusterId): string {
  return `federated-etl/backups/${cluster}/`;
}

/** Prefix of one backup; `time` is the name of the backup. */
export function backupPrefix(cluster: ClusterId, time: string): string {
  return `${backupsPrefix(cluster)}${time}/`;
}

/** Key of a file in a backup; `path` is the file's path below `bingen/`. */
export function backupFileKey(cluster: ClusterId, time: string, path: string): string {
  return `${backupPrefix(cluster, time)}bingen/${path}`;
}

/** Key of the list of a backup's files, which is written last. */
export function backupManifestKey(cluster: ClusterId, time: string): string {
  return `${backupPrefix(cluster, time)}manifest.json`;
}

/** Key of the head of a run's plan, which the commit reads. The head is written after the shards. */
export function runPlanHeadKey(run: string, attempt: number): string {
  return `${runsPrefix}${run}/plan-${attempt}.json`;
}

/** Key of the quarantined sources of one planned window. */
export function runQuarantineKey(run: string, attempt: number, shard: number, index: number): string {
  return `${runsPrefix}${run}/quarantine-${attempt}-${shard}-${index}.json`;
}

/** Prefix of the combined set's export for other query engines. The paths below it are the same in every export. */
export const exportPrefix = 'federated/combined/export/';

/** A window in an export. */
export interface ExportedFile {
  /** Version of the columns. */
  readonly version: number;
  readonly format: 'parquet' | 'csv';
  readonly ref: WindowRef;
  /** SHA-256 of the window file. A parsed path gives only the first 12 digits, as it does not contain more. */
  readonly digest: string;
}

const exportEndings = { parquet: 'parquet', csv: 'csv.gz' } as const;

/** Path of a window below an export's root, in Hive-style folders. */
export function exportPath({ version, format, ref, digest }: ExportedFile): string {
  const day = new Date(ref.window.start * 1000).toISOString().slice(0, 10);
  const name = `${windowName(ref.window)}-${digest.slice(0, 12)}.${exportEndings[format]}`;
  return `${exportTablesPath(version, format)}${ref.pipeline}/resolution=${ref.resolution}/day=${day}/${name}`;
}

/**
 * Prefix, below an export's root, of the windows in one format and version of the columns. It contains a folder for
 * each table; query engines read every file in it.
 */
export function exportTablesPath(version: number, format: ExportedFile['format']): string {
  return `v${version}/${format}/`;
}

/** Path, below an export's root, of the list of columns in a version. */
export function exportSchemaPath(version: number): string {
  return `v${version}/schema.json`;
}

/** Parses a path that `exportPath` has built; returns undefined for any other path. */
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
