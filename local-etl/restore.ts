import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { parseWindowFile, windowId } from '../etl/window';
import type { SavedFile } from '../federation/backup-manifest';
import type { BucketReader } from '../storage/bucket';
import { fetchBackedUp, readManifest } from './backup';
import { listWindowFiles } from './list';
import { withLock, withWindowLock } from './lock';
import { primaryState } from './primary';
import { Pulled } from './pulled';
import { readSteadily, sha256 } from './read';
import { salvage } from './salvage';
import { type LocalEtl, localPath } from './store';
import { moveInto, removeFile } from './write';

export interface RestoreDependencies {
  store: LocalEtl;
  place: BucketReader;
  cluster: ClusterId;
  /** Name of the backup, as returned by `listBackups`. */
  name: string;
  heartbeat?: (detail: unknown) => void;
  signal?: AbortSignal;
}

export interface RestoreSummary {
  /** Number of files restored from the backup. */
  restored: number;
  /** Number of files that already had the same content as in the backup. */
  unchanged: number;
  /** Number of pulled files that were removed because the backup does not have them. */
  removed: number;
  /**
   * Number of the cluster's own files that were replaced because they differed from the backup. Copies of them are in
   * `.federated-etl/salvaged`.
   */
  salvaged: number;
}

const lanes = 4;

/**
 * Restores the local ETL from a backup. Each file is verified against the manifest and replaced atomically. A local
 * window file that is not in the backup is removed if it was pulled, and kept if it is the cluster's own. Throws
 * PRIMARY_ACTIVE if the cluster still pulls, because the next pull would overwrite the restored files.
 */
export async function restoreBackup(deps: RestoreDependencies): Promise<RestoreSummary> {
  const { store, place, cluster, name, signal } = deps;
  const { firstPullAt, leftAt } = await primaryState(store);
  if (firstPullAt !== undefined && leftAt === undefined) {
    throw new FederationError('PRIMARY_ACTIVE', {
      subject: { cluster },
      detail: 'This cluster is a primary: the next pull would overwrite the restored files.',
    });
  }
  const { files } = await readManifest(place, cluster, name, signal);
  const pulled = new Pulled(store);
  const summary: RestoreSummary = { restored: 0, unchanged: 0, removed: 0, salvaged: 0 };
  await mapConcurrently(Object.entries(files), lanes, async ([path, saved]) => {
    await locked(store, path, () => restoreFile(deps, path, saved, pulled, summary), signal);
    deps.heartbeat?.({ ...summary });
  });
  for await (const file of listWindowFiles(store, signal)) {
    if (Object.hasOwn(files, file.path)) continue;
    await locked(store, file.path, async () => {
      const read = await readSteadily(localPath(store, file.path));
      if (read.kind !== 'read' || !(await pulled.has(sha256(read.bytes)))) return;
      await removeFile(localPath(store, file.path));
      summary.removed++;
    });
  }
  return summary;
}

async function restoreFile(
  deps: RestoreDependencies,
  path: string,
  saved: SavedFile,
  pulled: Pulled,
  summary: RestoreSummary,
): Promise<void> {
  const target = localPath(deps.store, path);
  const read = await readSteadily(target);
  if (read.kind === 'read') {
    const digest = sha256(read.bytes);
    if (digest === saved.digest) {
      summary.unchanged++;
      return;
    }
    if (!(await pulled.has(digest))) {
      await salvage(deps.store, path, read.bytes);
      summary.salvaged++;
    }
  }
  await moveInto(await fetchBackedUp(deps, deps.name, path, saved, target), target);
  summary.restored++;
}

/** Runs `work` while holding the lock of a file's window, or a separate lock if the file is not a window file. */
function locked<T>(store: LocalEtl, path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const file = parseWindowFile(path);
  return file === undefined
    ? withLock(store, encodeURIComponent(path), work, signal)
    : withWindowLock(store, windowId(file.ref), work, signal);
}
