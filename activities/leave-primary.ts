import { mapConcurrently } from '../concurrency/map-concurrently';
import { count } from '../federation/count';
import { backupFolder } from '../local-etl/backup';
import { withWindowLock } from '../local-etl/lock';
import { OwnFiles } from '../local-etl/own-files';
import { filesByWindow } from '../local-etl/own-windows';
import { primaryState, updatePrimary } from '../local-etl/primary';
import { Pulled } from '../local-etl/pulled';
import { memoryToRead } from '../local-etl/read';
import { type Returned, returnWindow } from '../local-etl/return-window';
import { transfersAtOnce } from '../local-etl/transfers';
import type { BucketReader } from '../storage/bucket';
import { type FileNotes, noteFile } from './file-notes';
import type { PullDependencies } from './pull-combined';

export interface LeaveDependencies extends Omit<
  PullDependencies,
  'combined' | 'federated' | 'own' | 'shrinkage'
> {
  /**
   * Bucket that contains the cluster's folder and backups. If undefined, files can be restored only from `backupPath`.
   */
  readonly own?: BucketReader;
}

export interface LeavePrimaryInput {
  /** If true, nothing is written: the summary says what leaving would do. */
  readonly dryRun?: boolean;
}

export interface LeaveSummary {
  /** Number of windows restored from the cluster's own folder in Federated Storage. */
  fromFolder: number;
  /** Number of windows restored from a backup. */
  fromBackup: number;
  /**
   * Number of windows that were left as they are, because the cluster itself has rebuilt them since they were pulled.
   */
  own: number;
  /** The restored windows, with the source of each. Their number is the sum of `fromFolder` and `fromBackup`. */
  restored: FileNotes;
  /** Pulled windows that were removed because the cluster itself has no file for them. */
  removed: FileNotes;
}

/**
 * Creates the activity that makes the cluster stop being a primary. First records on the volume that pulling has
 * stopped. Then restores the cluster's own file for each window that was ever pulled, unless the cluster has rebuilt
 * the file since. The restored file comes from the cluster's folder in the bucket if it is complete there, otherwise
 * from the newest backup that contains it. If neither has the file, removes the window. Idempotent: after an
 * interruption, call it again.
 */
export function createLeavePrimary(
  deps: LeaveDependencies,
): (input?: LeavePrimaryInput) => Promise<LeaveSummary> {
  return async ({ dryRun = false } = {}) => {
    const { store, pullStore = store, cluster, log } = deps;
    const signal = deps.signal();
    const { leftAt = deps.now().toISOString() } = await primaryState(pullStore);
    if (!dryRun) await updatePrimary(pullStore, { leftAt, waitingFor: undefined, waitingSince: undefined });
    const pulled = new Pulled(pullStore);
    const { mostUnpacked } = deps.budget;
    const files = await OwnFiles.open({
      // If pulls write to a separate path, they have never replaced the cluster's own files. In this case, restore
      // nothing from the cluster's folder in the bucket.
      folder: pullStore.root === store.root ? deps.own : undefined,
      backups: deps.backupPath === undefined ? deps.own : backupFolder(deps.backupPath),
      cluster,
      mostUnpacked,
      signal,
    });
    const local = await filesByWindow(pullStore, { signal });
    const summary: LeaveSummary = {
      fromFolder: 0,
      fromBackup: 0,
      own: 0,
      restored: { count: 0, examples: [] },
      removed: { count: 0, examples: [] },
    };
    await mapConcurrently(await pulled.everPulled(), transfersAtOnce, async (id) => {
      const there = local.get(id) ?? [];
      const paths = there.map(({ path }) => path);
      let largest = files.largestOf(id);
      for (const file of there)
        largest = Math.max(largest, await memoryToRead(pullStore, file, deps.budget, signal));
      const work = () =>
        returnWindow({ store: pullStore, cluster, pulled, files, mostUnpacked, dryRun }, id, paths);
      const returned = await deps.budget.within(largest, signal, () =>
        dryRun ? work() : withWindowLock(pullStore, id, work, signal),
      );
      noteReturned(summary, id, returned);
      deps.heartbeat({ restored: summary.restored.count, removed: summary.removed.count });
    });
    if (dryRun) return summary;
    const { fromFolder, fromBackup, removed } = summary;
    log.info(
      { event: 'primary.left', cluster, fromFolder, fromBackup, removed: removed.count },
      `Primary left: ${count(fromFolder, 'window')} restored from the cluster's folder, ${fromBackup} from backups, ${removed.count} removed`,
    );
    return summary;
  };
}

function noteReturned(summary: LeaveSummary, path: string, returned: Returned): void {
  if (returned === 'absent') return;
  if (returned === 'removed')
    return noteFile(summary.removed, { path, why: 'This cluster has no file of its own for it.' });
  summary[returned]++;
  if (returned !== 'own') noteFile(summary.restored, { path, why: from[returned] });
}

const from = { fromFolder: "from the cluster's folder", fromBackup: 'from a backup' } as const;
