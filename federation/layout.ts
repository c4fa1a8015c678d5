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
 * This file builds and parses all keys in the bucket; no other file does. `docs/design/bucket-format.md` lists what
 * writes and reads each key.
 */

/** Prefix of all federated data. Each folder directly below it belongs to a cluster, except `combined`. */
export const federatedPrefix = 'federated/';
export const combinedPrefix = 'federated/combined/';
export const combinedEtlPrefix = 'federated/combined/etl/bingen/';
export const objectsPrefix = 'federated/combined/objects/';
export const generationsPrefix = 'federated/combined/generations/';
export const keptPrefix = 'federated/combined/kept/';
export const runsPrefix = 'federated/combined/runs/';
export const publishedKey = 'federated/combined/published.json';
/** Key of the document that says which federation the bucket contains. */
export const federationKey = 'federated/combined/federation.json';
/** Key of the document that records the last full listing of the clusters' files. */
export const fullListingKey = 'federated/combined/full-listing.json';
/**
 * Key of the clean-up's list of unreferenced objects, which are those that no remaining generation refers to. For each
 * object, the list contains the time when the clean-up first found it unreferenced.
 */
export const unreferencedKey = 'federated/combined/unreferenced.json';

/**
 * Returns the key of a test object, which is below the given prefix. The verb `doctor` writes test objects to find out
 * what the store allows, and the verb `run` may write one when it starts. Test objects are deleted at once.
 */
export function probeKey(prefix: string, id: string): string {
  return `${prefix}probe/${id}`;
}

/**
 * Returns the cluster to which a prefix directly below `federated/` belongs. Returns undefined for `combined`, and for
 * names that no cluster can have.
 */
export function parseClusterPrefix(prefix: string): ClusterId | undefined {
  if (!prefix.startsWith(federatedPrefix) || !prefix.endsWith('/')) return undefined;
  const text = prefix.slice(federatedPrefix.length, -1);
  return isClusterId(text) ? text : undefined;
}

/**
 * Returns the prefix of the ETL files that a cluster has pushed. The pushed files of all clusters are called Federated
 * Storage.
 */
export function clusterEtlPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/etl/bingen/`;
}

/** Returns the prefix of a cluster's folder below `federated/`. */
export function clusterPrefix(cluster: ClusterId): string {
  return `${federatedPrefix}${cluster}/`;
}

/** Returns the key of an ETL file in Federated Storage. `path` is the file's path below `bingen/`. */
export function clusterEtlKey(cluster: ClusterId, path: string): string {
  return clusterEtlPrefix(cluster) + path;
}

/**
 * Parses the key of a window file under `prefix`, the ETL prefix of a cluster or of the combined set. Returns undefined
 * if it is not the key of such a file.
 */
export function parseEtlKey(prefix: string, key: string): WindowFile | undefined {
  return key.startsWith(prefix) ? parseWindowFile(key.slice(prefix.length)) : undefined;
}

/**
 * Returns the key under which a merged window is published. The layout is Kubecost's, so that other programs can read
 * it.
 */
export function combinedEtlKey(window: WindowRef | WindowId): string {
  return combinedEtlPrefix + (typeof window === 'string' ? window : windowId(window));
}

/** Returns the key of a merged window's object. The object is never changed. */
export function objectKey(fingerprint: string): string {
  return objectsPrefix + fingerprint;
}

/**
 * Returns the key of a merged window's provenance. The provenance is written after the object, so if it exists, the
 * object is complete.
 */
export function provenanceKey(fingerprint: string): string {
  return `${objectsPrefix}${fingerprint}.json`;
}

/** Parses the key of a merged window's object or provenance. Returns undefined for any other key. */
export function parseObjectKey(key: string): { fingerprint: string; provenance: boolean } | undefined {
  const match = /^([0-9a-f]{64})(\.json)?$/.exec(
    key.startsWith(objectsPrefix) ? key.slice(objectsPrefix.length) : '',
  );
  return match?.[1] === undefined ? undefined : { fingerprint: match[1], provenance: match[2] !== undefined };
}

/** Returns the key of a generation. The number is padded with zeros, so that keys sort in the order of the numbers. */
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
 * Returns the key of a cluster's last good contribution to a window. This object is written when the cluster's file
 * turns out to be bad or gone.
 */
export function keptKey(cluster: ClusterId, window: WindowId): string {
  return `${keptPrefix}${cluster}/${window}`;
}

/** Returns the key of a run's request, which is the first object that the run writes. */
export function runRequestKey(run: string): string {
  return `${runsPrefix}${run}/request.json`;
}

/**
 * Returns the key of one shard of a run's plan. A run may have to plan several times: `attempt` is 1 for its first
 * plan, 2 for its second, and so on.
 */
export function runPlanKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/plan-${attempt}-${shard}.json`;
}

/** Returns the key of the results of merging one shard of a run's plan. */
export function runOutcomeKey(run: string, attempt: number, shard: number): string {
  return `${runsPrefix}${run}/outcome-${attempt}-${shard}.json`;
}

/** Returns the key of a run's report, which is the last object that the run writes. */
export function runReportKey(run: string): string {
  return `${runsPrefix}${run}/report.json`;
}

/** Splits a key or prefix below `runs/` into the run's id and the rest. Returns undefined for any other key. */
export function parseRunKey(key: string): { run: string; file: string } | undefined {
  const match = /^([^/]+)\/(.*)$/.exec(key.startsWith(runsPrefix) ? key.slice(runsPrefix.length) : '');
  return match?.[1] === undefined ? undefined : { run: match[1], file: match[2] ?? '' };
}

/**
 * Returns the prefix of all backups of a cluster's local ETL. It is not below `federated/`, because any folder there
 * would be taken for a cluster.
 */
export function backupsPrefix(cluster: ClusterId): string {
  return `federated-etl/backups/${cluster}/`;
}

/** Returns the prefix of one backup. `time` is the name of the backup, derived from the time when it started. */
export function backupPrefix(cluster: ClusterId, time: string): string {
  return `${backupsPrefix(cluster)}${time}/`;
}

/** Returns the key of a file in a backup. `path` is the file's path below `bingen/`. */
export function backupFileKey(cluster: ClusterId, time: string, path: string): string {
  return `${backupPrefix(cluster, time)}bingen/${path}`;
}

/** Returns the key of a backup's manifest, which lists the backup's files and is written last. */
export function backupManifestKey(cluster: ClusterId, time: string): string {
  return `${backupPrefix(cluster, time)}manifest.json`;
}

/**
 * Returns the key of the head of a run's plan. The head is the part that the commit reads. It is written after the
 * shards.
 */
export function runPlanHeadKey(run: string, attempt: number): string {
  return `${runsPrefix}${run}/plan-${attempt}.json`;
}

/**
 * Returns the key of the document that lists what was found while merging one window: quarantined, accepted and shrunk
 * sources, and cluster names in files of clusters that do not own them. `index` is the window's position in the shard.
 */
export function runQuarantineKey(run: string, attempt: number, shard: number, index: number): string {
  return `${runsPrefix}${run}/quarantine-${attempt}-${shard}-${index}.json`;
}

/**
 * Prefix of the export of the combined set. Query engines outside of Federated ETL can read the export. An export to a
 * local folder has the same paths, but without this prefix.
 */
export const exportPrefix = 'federated/combined/export/';

/** A file in an export. It contains one window in one format. */
export interface ExportedFile {
  /** Version of the exported tables' columns. */
  readonly version: number;
  readonly format: 'parquet' | 'csv';
  readonly ref: WindowRef;
  /**
   * SHA-256 of the window's ETL file, in hexadecimal. A parsed path gives only the first 12 digits, because the path
   * contains no more.
   */
  readonly digest: string;
}

const exportEndings = { parquet: 'parquet', csv: 'csv.gz' } as const;

/** Returns the path of a window below an export's root. The folders have Hive-style names, such as `resolution=1d`. */
export function exportPath({ version, format, ref, digest }: ExportedFile): string {
  const day = new Date(ref.window.start * 1000).toISOString().slice(0, 10);
  const name = `${windowName(ref.window)}-${digest.slice(0, 12)}.${exportEndings[format]}`;
  return `${exportTablesPath(version, format)}${ref.pipeline}/resolution=${ref.resolution}/day=${day}/${name}`;
}

/**
 * Returns the path, below an export's root, of the folder for one format and one version of the columns. It contains
 * one folder for each table. Query engines read every file in a table's folder.
 */
export function exportTablesPath(version: number, format: ExportedFile['format']): string {
  return `v${version}/${format}/`;
}

/** Returns the path, below an export's root, of the document that lists the columns in this version of the tables. */
export function exportSchemaPath(version: number): string {
  return `v${version}/schema.json`;
}

/** Parses a path that `exportPath` has built. Returns undefined for any other path. */
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
