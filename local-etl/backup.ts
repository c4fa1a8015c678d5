import { z } from 'zod';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import type { BackupManifest, SavedFile } from '../federation/backup-manifest';
import { createDocument, examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { backupFileKey, backupManifestKey, backupsPrefix, probeKey } from '../federation/layout';
import type { Bucket, BucketReader, Version } from '../storage/bucket';
import { keyFault } from '../storage/check-key';
import { openFilesystem } from '../storage/drivers/filesystem';
import type { MemoryBudget } from '../storage/memory-budget';
import { checked } from './checked';
import { FileCache } from './file-cache';
import { type FileStamp, listAllFiles } from './list';
import type { PassedOver } from './passed-over';
import { readSteadily, sha256 } from './read';
import { readState, removeState, writeState } from './state';
import { type LocalEtl, localPath } from './store';
import { transfersAtOnce } from './transfers';
import { writeTemporary } from './write';

/** A finished backup. */
export interface Backup {
  /** Name of the backup, to be passed to `restoreBackup`. */
  readonly name: string;
  readonly at: string;
  readonly files: number;
  readonly bytes: number;
}

export interface BackupDependencies {
  store: LocalEtl;
  /** Where to save the backup: the bucket, or a folder opened by `backupFolder`. */
  place: Bucket;
  cluster: ClusterId;
  now: () => Date;
  budget: MemoryBudget;
  /** Returns true if a file with this digest need not be saved. (Default: all files are saved) */
  leaveOut?: (digest: string) => Promise<boolean>;
  heartbeat?: (detail: unknown) => void;
  /** Called for each folder that cannot be read, and for each link. The backup does not contain them. */
  passOver?: (place: PassedOver) => void;
  signal: AbortSignal;
}

const begunName = 'backup-begun.json';
const begunSchema = z.object({ format: z.literal(1), name: z.string(), at: z.string() });
/** State file that lists the files that are already saved and verified in the unfinished backup. */
const backupCache = 'backup-cache.json';

/**
 * Opens a folder in which to save backups. The files get the same keys as in the bucket. The folder must exist. It is
 * never created: if a volume is not mounted, creating its folder would hide this.
 */
export function backupFolder(path: string): Bucket {
  return openFilesystem({ directory: path });
}

/**
 * Saves every file of the pipelines that take part in federation. Reads each saved file back and compares its digest,
 * then writes the manifest. If any step fails, throws BACKUP_FAILED and leaves an unfinished backup. `listBackups` does
 * not list an unfinished backup, and the next backup of the same volume resumes it.
 */
export async function backUp(deps: BackupDependencies): Promise<Backup> {
  const { store, place, cluster, signal } = deps;
  try {
    const { name, at } = await begin(deps);
    const progress = await Progress.open(deps, name);
    const manifest: BackupManifest = { format: 1, cluster, at, files: {} };
    let files = 0;
    try {
      await mapConcurrently(
        listAllFiles(store, { signal, passOver: deps.passOver }),
        transfersAtOnce,
        async (file) => {
          const key = backupFileKey(cluster, name, file.path);
          // Skip a file whose path is not a valid key. Such a file cannot be a window file. A pull replaces only window
          // files, so this file needs no backup.
          if (keyFault(key) !== undefined) return;
          const saved =
            progress.saved(file, key) ??
            (await deps.budget.within(file.size, signal, () => save(deps, file.path, key, progress)));
          if (saved !== undefined) manifest.files[file.path] = saved;
          deps.heartbeat?.({ backup: name, files: ++files });
          await progress.cache.saveNowAndThen();
        },
      );
    } finally {
      await progress.cache.save();
    }
    const document = documents.backupManifest.at(cluster, name);
    if (!(await createDocument(place, document, manifest, { signal }))) {
      throw new FederationError('STORAGE_PRECONDITION_FAILED', {
        subject: { key: document.key },
        detail: 'A backup of that name already exists.',
      });
    }
    await readManifest(place, cluster, name, signal);
    for (const done of [begunName, backupCache]) await removeState(store, done);
    return describe(name, manifest);
  } catch (error) {
    signal?.throwIfAborted();
    throw failed(error, cluster, place.label);
  }
}

export interface ListBackupsOptions {
  readonly signal?: AbortSignal;
  /** Called for a backup whose manifest is damaged. (Default: the error of `readManifest` is thrown) */
  readonly onDamaged?: (damaged: FederationError) => void;
  /** Called for a backup that has no manifest, because it is being made or was interrupted. */
  readonly onUnfinished?: (name: string) => void;
}

/** Lists the finished backups of a cluster, oldest first. */
export async function listBackups(
  place: BucketReader,
  cluster: ClusterId,
  { signal, onDamaged, onUnfinished }: ListBackupsOptions = {},
): Promise<Backup[]> {
  const backups: Backup[] = [];
  const prefix = backupsPrefix(cluster);
  for await (const entry of place.list(prefix, { delimiter: '/', signal })) {
    if (entry.kind !== 'prefix') continue;
    const name = entry.prefix.slice(prefix.length, -1);
    const manifest = await readManifest(place, cluster, name, signal).catch((error: unknown) => {
      if (isFederationError(error, 'BACKUP_NOT_FOUND')) {
        // Do not report the folder in which `doctor` tests the permissions. It is next to the backups, but is not a
        // backup.
        if (entry.prefix !== probeKey(prefix, '')) onUnfinished?.(name);
        return undefined;
      }
      if (onDamaged === undefined || !isFederationError(error, 'STORAGE_CORRUPT')) throw error;
      onDamaged(error);
      return undefined;
    });
    if (manifest !== undefined) backups.push(describe(name, manifest));
  }
  return backups;
}

/**
 * Reads the manifest of a backup. Throws BACKUP_NOT_FOUND if no finished backup has that name, and STORAGE_CORRUPT if
 * the manifest is damaged.
 */
export async function readManifest(
  place: BucketReader,
  cluster: ClusterId,
  name: string,
  signal?: AbortSignal,
): Promise<BackupManifest> {
  const document = documents.backupManifest.at(cluster, name);
  const { key } = document;
  const { value, damage } =
    keyFault(key) === undefined ? await examineDocument(place, document, { signal }) : {};
  if (value !== undefined) return value;
  if (damage !== undefined) {
    throw new FederationError('STORAGE_CORRUPT', {
      subject: { cluster, key },
      detail: `The manifest of the backup ${name} is damaged: ${damage.detail}`,
      hint: 'Put it back from the store’s older versions. If there are none, delete it: the backup then counts as unfinished, and is not used.',
      retryable: false,
    });
  }
  throw new FederationError('BACKUP_NOT_FOUND', {
    subject: { cluster, key },
    detail: `There is no finished backup ${JSON.stringify(name)}.`,
  });
}

/**
 * Downloads a file of a backup to a temporary file next to `target` and verifies its digest. Returns the path of the
 * temporary file. The caller must move that file into place.
 */
export async function fetchBackedUp(
  { place, cluster, signal }: { place: BucketReader; cluster: ClusterId; signal?: AbortSignal },
  name: string,
  path: string,
  saved: SavedFile,
  target: string,
): Promise<string> {
  const key = backupFileKey(cluster, name, path);
  const open = async () => (await place.get(key, { signal })).body;
  return writeTemporary(
    target,
    checked(open, saved, () => notAsSaved(cluster, key)),
  );
}

/** Returns the unfinished backup, which is to be resumed, or begins a new backup if there is none. */
async function begin(deps: BackupDependencies): Promise<{ name: string; at: string }> {
  const { store, place, cluster, signal } = deps;
  const begun = await readState(store, begunName, begunSchema);
  if (
    begun !== undefined &&
    (await place.head(backupManifestKey(cluster, begun.name), { signal })) === undefined
  )
    return begun;
  const made = await unusedName(deps);
  await writeState(store, begunName, { format: 1, ...made });
  return made;
}

/**
 * Finds the files that an unfinished backup already contains. A file counts only if it was saved and read back, and if
 * neither the file nor its copy in the backup has changed since then.
 */
class Progress {
  private constructor(
    readonly cache: FileCache,
    private readonly versions: ReadonlyMap<string, Version>,
  ) {}

  static async open({ store, place, cluster, signal }: BackupDependencies, name: string): Promise<Progress> {
    const versions = new Map<string, Version>();
    for await (const entry of place.list(backupFileKey(cluster, name, ''), { signal }))
      if (entry.kind === 'object') versions.set(entry.key, entry.version);
    return new Progress(await FileCache.open(store, backupCache), versions);
  }

  saved(file: FileStamp, key: string): SavedFile | undefined {
    const known = this.cache.of(file);
    if (known?.version === undefined || known.version !== this.versions.get(key)) return undefined;
    return { digest: known.digest, size: file.size };
  }
}

/**
 * Derives the name of a new backup from the current time. If a backup of that name exists, tries the next millisecond,
 * and so on.
 */
async function unusedName({
  place,
  cluster,
  now,
  signal,
}: BackupDependencies): Promise<{ name: string; at: string }> {
  for (let time = now().getTime(); ; time++) {
    const at = new Date(time).toISOString();
    const name = at.replaceAll(/[:.]/g, '-');
    if ((await place.head(backupManifestKey(cluster, name), { signal })) === undefined) return { name, at };
  }
}

async function save(
  deps: BackupDependencies,
  path: string,
  key: string,
  { cache }: Progress,
): Promise<SavedFile | undefined> {
  const { store, place, cluster, signal } = deps;
  const read = await readSteadily(localPath(store, path));
  if (read.kind === 'gone') return undefined;
  // A pull does not replace a file that cannot be read, so this file needs no backup.
  if (read.kind === 'unreadable' && read.refused) return undefined;
  if (read.kind === 'unreadable') throw new Error(`${path}: ${read.why}`);
  const saved: SavedFile = { digest: sha256(read.bytes), size: read.bytes.length };
  if (await deps.leaveOut?.(saved.digest)) return undefined;
  const { version } = await place.put(key, read.bytes, { metadata: { sha256: saved.digest }, signal });
  const open = async () => (await place.get(key, { signal })).body;
  // Read the file back and discard the bytes: `checked` throws if they differ from those that were saved.
  for await (const chunk of checked(open, saved, () => notAsSaved(cluster, key))) void chunk;
  cache.note({ path, ...read.stamp }, { digest: saved.digest, version });
  return saved;
}

function notAsSaved(cluster: string, key: string): FederationError {
  return new FederationError('STORAGE_CORRUPT', {
    subject: { cluster, key },
    detail: 'The file read back from the backup differs from the one saved.',
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
