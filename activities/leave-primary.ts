import { mapConcurrently } from '../concurrency/map-concurrently';
import { backupFolder } from '../local-etl/backup';
import { withWindowLock } from '../local-etl/lock';
import { OwnFiles } from '../local-etl/own-files';
import { filesByWindow } from '../local-etl/own-windows';
import { primaryState, updatePrimary } from '../local-etl/primary';
import { Pulled } from '../local-etl/pulled';
import { returnWindow } from '../local-etl/return-window';
import { transfersAtOnce } from '../local-etl/transfers';
import type { BucketReader } from '../storage/bucket';
import type { PullDependencies } from './pull-combined';
import { type FileNotes, noteFile } from './push-local-etl';

export interface LeaveDependencies extends Omit<PullDependencies, 'combined' | 'federated' | 'own'> {
  /** For the cluster's own folder and its backups; without it, files come only from `backupPath`. */
  readonly own?: BucketReader;
}

export interface LeaveSummary {
  /** Windows whose own file came back from the cluster's folder. */
  fromFolder: number;
  /** Windows whose own file came back from a backup. */
  fromBackup: number;
  /** Windows that the cluster had rebuilt meanwhile; they stay. */
  own: number;
  /** Pulled windows for which this cluster has no file of its own. */
  removed: FileNotes;
}

/**
 * Stops being a primary. Pulling stops, which is recorded on the volume. Each window ever pulled is replaced with the
 * cluster's own file: from its folder if that file is complete, else from the newest backup that has it, else the window
 * is removed. Idempotent: after an interruption it is simply repeated.
 */
export function createLeavePrimary(deps: LeaveDependencies): () => Promise<LeaveSummary> {
  return async () => {
    const { store, pullStore = store, cluster, log } = deps;
    const signal = deps.signal();
    const { leftAt } = await primaryState(pullStore);
    await updatePrimary(pullStore, { leftAt: leftAt ?? deps.now().toISOString(), waitingFor: undefined });
    const pulled = new Pulled(pullStore);
    const files = await OwnFiles.open({
      // With a separate pull path, the cluster's own files do not belong there.
      folder: pullStore.root === store.root ? deps.own : undefined,
      backups: deps.backupPath === undefined ? deps.own : backupFolder(deps.backupPath),
      cluster,
      signal,
    });
    const local = await filesByWindow(pullStore, signal);
    const summary: LeaveSummary = {
      fromFolder: 0,
      fromBackup: 0,
      own: 0,
      removed: { count: 0, examples: [] },
    };
    await mapConcurrently(await pulled.everPulled(), transfersAtOnce, async (id) => {
      const there = local.get(id) ?? [];
      const paths = there.map(({ path }) => path);
      const largest = Math.max(files.largestOf(id), ...there.map(({ size }) => size));
      const work = () => returnWindow({ store: pullStore, cluster, pulled, files }, id, paths);
      const returned = await deps.budget.within(largest, signal, () =>
        withWindowLock(pullStore, id, work, signal),
      );
      if (returned === 'removed')
        noteFile(summary.removed, { path: id, why: 'This cluster has no file of its own for it.' });
      else if (returned !== 'absent') summary[returned]++;
      deps.heartbeat({ ...summary, removed: summary.removed.count });
    });
    const { fromFolder, fromBackup, removed } = summary;
    log.info(
      { event: 'primary.left', cluster, fromFolder, fromBackup, removed: removed.count },
      `Primary left: ${fromFolder} windows restored from the cluster's folder, ${fromBackup} from backups, ${removed.count} removed`,
    );
    return summary;
  };
}
