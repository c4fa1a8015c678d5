import { dirname } from 'node:path';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { parseWindowFile, windowId } from '../etl/window';
import type { SavedFile } from '../federation/backup-manifest';
import type { BucketReader } from '../storage/bucket';
import { fetchBackedUp, readManifest } from './backup';
import { listWindowFiles } from './list';
import { restoreLock, withLock, withWindowLock } from './lock';
import { whyBehindLink } from './passed-over';
import { primaryState } from './primary';
import { Pulled } from './pulled';
import { readSteadily, sha256 } from './read';
import { removeIfSame, replaceIfSame } from './replace';
import { salvage } from './salvage';
import { type LocalEtl, localPath } from './store';
import { syncFolder } from './write';

export interface RestoreDependencies {
  store: LocalEtl;
  place: BucketReader;
  cluster: ClusterId;
  /** Name of the backup, as returned by `listBackups`. */
  name: string;
  /** True if the cluster's settings make it a primary. A primary pulls unless an operator has ended this role. */
  isPrimary: boolean;
  /** If true, nothing is restored or removed: the summary and `onChange` report what would be done. */
  dryRun?: boolean;
  /** Called for each file that is restored or removed. */
  onChange?: (path: string, change: 'restore' | 'remove') => void;
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
  /** Files that were not restored, because they are being written or cannot be read. */
  postponed: { readonly path: string; readonly why: string }[];
}

const lanes = 4;

/**
 * Restores the local ETL from a backup. Each file is verified against the manifest and replaced atomically. A local
 * window file that is not in the backup is removed if it was pulled, and kept if it is the cluster's own. During the
 * restoration, the cluster cannot become a primary again. Idempotent: after an interruption, call it again.
 *
 * @throws PRIMARY_ACTIVE if the cluster pulls, because its pulls would overwrite the restored files; BACKUP_NOT_FOUND
 *   if there is no finished backup of this name; STORAGE_CORRUPT if its manifest or a file in it is damaged
 */
export async function restoreBackup(deps: RestoreDependencies): Promise<RestoreSummary> {
  const { store, signal } = deps;
  return deps.dryRun === true
    ? await new Restore(deps).run()
    : await withLock(store, restoreLock, () => new Restore(deps).run(), signal);
}

class Restore {
  private readonly pulled: Pulled;
  private readonly summary: RestoreSummary = {
    restored: 0,
    unchanged: 0,
    removed: 0,
    salvaged: 0,
    postponed: [],
  };

  constructor(private readonly deps: RestoreDependencies) {
    this.pulled = new Pulled(deps.store);
  }

  async run(): Promise<RestoreSummary> {
    const { store, place, cluster, name, signal } = this.deps;
    await this.refuseWhilePulling();
    const { files } = await readManifest(place, cluster, name, signal);
    await mapConcurrently(Object.entries(files), lanes, ([path, saved]) =>
      this.locked(path, () => this.restore(path, saved)),
    );
    for await (const { path } of listWindowFiles(store, { signal }))
      if (!Object.hasOwn(files, path)) await this.locked(path, () => this.removeIfPulled(path));
    return this.summary;
  }

  private async refuseWhilePulling(): Promise<void> {
    const { store, cluster, isPrimary } = this.deps;
    const { firstPullAt, leftAt } = await primaryState(store);
    if (leftAt !== undefined || (firstPullAt === undefined && !isPrimary)) return;
    throw new FederationError('PRIMARY_ACTIVE', {
      subject: { cluster },
      detail: 'This cluster is a primary: the next pull would overwrite the restored files.',
    });
  }

  private async restore(path: string, saved: SavedFile): Promise<void> {
    const { store, name, onChange, dryRun } = this.deps;
    const { summary } = this;
    const why = await whyBehindLink(store, path);
    if (why !== undefined) return void summary.postponed.push({ path, why });
    const target = localPath(store, path);
    const read = await readSteadily(target);
    if (read.kind === 'unreadable') return void summary.postponed.push({ path, why: read.why });
    if (read.kind === 'read') {
      const digest = sha256(read.bytes);
      if (digest === saved.digest) return void summary.unchanged++;
      if (!(await this.pulled.has(digest))) {
        if (dryRun !== true) await salvage(store, path, read.bytes);
        summary.salvaged++;
      }
    }
    if (dryRun !== true) {
      const written = await fetchBackedUp(this.deps, name, path, saved, target);
      const stamp = read.kind === 'read' ? read.stamp : undefined;
      if (!(await replaceIfSame(written, target, stamp)))
        return void summary.postponed.push({ path, why: 'It was written meanwhile.' });
      await syncFolder(dirname(target));
    }
    onChange?.(path, 'restore');
    summary.restored++;
  }

  private async removeIfPulled(path: string): Promise<void> {
    const { store, onChange, dryRun } = this.deps;
    const stamp = await this.pulled.stampIfPulled(path);
    if (stamp === undefined) return;
    if (dryRun !== true && !(await removeIfSame(localPath(store, path), stamp))) return;
    onChange?.(path, 'remove');
    this.summary.removed++;
  }

  /**
   * Runs `work` while holding the lock of a file's window. A file that is not a window file needs no lock, because only
   * restores write such files, and only one restore runs at a time.
   */
  private locked<T>(path: string, work: () => Promise<T>): Promise<T> {
    const { store, dryRun, signal } = this.deps;
    const file = parseWindowFile(path);
    return dryRun === true || file === undefined
      ? work()
      : withWindowLock(store, windowId(file.ref), work, signal);
  }
}
