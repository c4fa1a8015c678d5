import { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { Bucket, BucketReader } from '../storage/bucket';
import { keyFault } from '../storage/check-key';
import { openFilesystem } from '../storage/drivers/filesystem';
import { backupPrefix, backupsPrefix, type ClusterId } from '../storage/layout';
import { readJson } from '../storage/read-all';
import { checked } from './checked';
import { concurrently } from './concurrently';
import { listAllFiles } from './list';
import { readSteadily, sha256 } from './read';
import { type LocalEtl, localPath } from './store';
import { writeTemporary } from './write';

const savedFileSchema = z.object({ digest: z.string(), size: z.number() });
export type SavedFile = z.infer<typeof savedFileSchema>;

const manifestSchema = z.object({
  format: z.literal(1),
  cluster: z.string(),
  /** When it was begun, RFC 3339. */
  at: z.string(),
  /** By the path below `bingen/`. */
  files: z.record(z.string(), savedFileSchema),
});
/** What a backup holds. It is written last: a backup without one was not finished. */
export type BackupManifest = z.infer<typeof manifestSchema>;

/** A backup as it is listed. */
export interface Backup {
  /** What `restore` takes. */
  readonly name: string;
  readonly at: string;
  readonly files: number;
  readonly bytes: number;
}

export interface BackupDependencies {
  store: LocalEtl;
  /** The bucket, or a folder as one: see `backupFolder`. */
  place: Bucket;
  cluster: ClusterId;
  now: () => Date;
  /** Files whose bytes are not saved. (Default: none) */
  leaveOut?: (digest: string) => Promise<boolean>;
  heartbeat?: (detail: unknown) => void;
  signal?: AbortSignal;
}

const lanes = 4;

/** A folder to save backups in, laid out like the bucket. It has to exist. */
export function backupFolder(path: string): Bucket {
  return openFilesystem({ directory: path });
}

/**
 * Saves every file of the federated pipelines of the local ETL, reads each back and compares its digest, then writes
 * the manifest. Throws BACKUP_FAILED when any of it does not work out; such a backup is not listed.
 */
export async function backUp(deps: BackupDependencies): Promise<Backup> {
  const { store, place, cluster, signal } = deps;
  try {
    const { name, at } = await unusedName(deps);
    const manifest: BackupManifest = { format: 1, cluster, at, files: {} };
    await concurrently(listAllFiles(store, signal), lanes, async (path) => {
      const key = fileKey(cluster, name, path);
      // A name that no bucket can hold is no window file, so nothing is ever written over it.
      if (keyFault(key) !== undefined) return;
      const saved = await save(deps, path, key);
      if (saved !== undefined) manifest.files[path] = saved;
      deps.heartbeat?.({ backup: name, files: Object.keys(manifest.files).length });
    });
    await place.create(manifestKey(cluster, name), Buffer.from(JSON.stringify(manifest)), { signal });
    await readManifest(place, cluster, name, signal);
    return describe(name, manifest);
  } catch (error) {
    signal?.throwIfAborted();
    throw failed(error, cluster, place.label);
  }
}

/** The finished backups of a cluster, the oldest first. */
export async function listBackups(
  place: BucketReader,
  cluster: ClusterId,
  signal?: AbortSignal,
): Promise<Backup[]> {
  const backups: Backup[] = [];
  const prefix = backupsPrefix(cluster);
  for await (const entry of place.list(prefix, { delimiter: '/', signal })) {
    if (entry.kind !== 'prefix') continue;
    const name = entry.prefix.slice(prefix.length, -1);
    const manifest = await readManifest(place, cluster, name, signal).catch((error: unknown) => {
      if (isFederationError(error, 'BACKUP_NOT_FOUND')) return undefined;
      throw error;
    });
    if (manifest !== undefined) backups.push(describe(name, manifest));
  }
  return backups;
}

/** What a backup holds; BACKUP_NOT_FOUND when there is no finished one of that name. */
export async function readManifest(
  place: BucketReader,
  cluster: ClusterId,
  name: string,
  signal?: AbortSignal,
): Promise<BackupManifest> {
  const key = manifestKey(cluster, name);
  const manifest =
    keyFault(key) === undefined ? await readJson(place, key, manifestSchema, { signal }) : undefined;
  if (manifest !== undefined) return manifest;
  throw new FederationError('BACKUP_NOT_FOUND', {
    subject: { cluster, key },
    detail: `There is no finished backup ${JSON.stringify(name)}.`,
  });
}

/** Writes a file of a backup next to `target`, checked; the caller moves it into place. */
export async function fetchBackedUp(
  { place, cluster, signal }: { place: BucketReader; cluster: ClusterId; signal?: AbortSignal },
  name: string,
  path: string,
  saved: SavedFile,
  target: string,
): Promise<string> {
  const key = fileKey(cluster, name, path);
  const { body } = await place.get(key, { signal });
  return writeTemporary(
    target,
    checked(body, saved, () => notAsSaved(cluster, key)),
  );
}

/** Named after the moment it is begun; a later one where that is taken. */
async function unusedName({
  place,
  cluster,
  now,
  signal,
}: BackupDependencies): Promise<{ name: string; at: string }> {
  for (let time = now().getTime(); ; time++) {
    const at = new Date(time).toISOString();
    const name = at.replaceAll(/[:.]/g, '-');
    if ((await place.head(manifestKey(cluster, name), { signal })) === undefined) return { name, at };
  }
}

async function save(deps: BackupDependencies, path: string, key: string): Promise<SavedFile | undefined> {
  const { store, place, cluster, signal } = deps;
  const read = await readSteadily(localPath(store, path));
  if (read.kind === 'gone') return undefined;
  if (read.kind === 'unreadable') throw new Error(`${path}: ${read.why}`);
  const saved: SavedFile = { digest: sha256(read.bytes), size: read.bytes.length };
  if (await deps.leaveOut?.(saved.digest)) return undefined;
  await place.put(key, read.bytes, { metadata: { sha256: saved.digest }, signal });
  const { body } = await place.get(key, { signal });
  // Only the check at its end is of interest.
  for await (const chunk of checked(body, saved, () => notAsSaved(cluster, key))) void chunk;
  return saved;
}

function notAsSaved(cluster: string, key: string): FederationError {
  return new FederationError('STORAGE_CORRUPT', {
    subject: { cluster, key },
    detail: 'The file read from the backup is not the one that was saved.',
  });
}

function failed(error: unknown, cluster: string, where: string): FederationError {
  const why = error instanceof Error ? error.message : String(error);
  return new FederationError('BACKUP_FAILED', {
    subject: { cluster, key: where },
    detail: `The local ETL could not be saved and read back: ${why}`,
    cause: error,
  });
}

function describe(name: string, { at, files }: BackupManifest): Backup {
  const sizes = Object.values(files).map(({ size }) => size);
  return { name, at, files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function fileKey(cluster: ClusterId, name: string, path: string): string {
  return `${backupPrefix(cluster, name)}bingen/${path}`;
}

function manifestKey(cluster: ClusterId, name: string): string {
  return `${backupPrefix(cluster, name)}manifest.json`;
}
