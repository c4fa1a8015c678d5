import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { parseWindowId } from '../etl/window';
import type { OwnWindows } from './primary-guard';
import type { FileNotes } from './push-local-etl';

/** How a pull ended, as its workflow and the status show it. */
export interface PullSummary {
  /**
   * `waiting`: the guard is not passed yet. `left`: an operator made it stop being a primary. `no-generation`: nothing
   * has been combined yet.
   */
  state: 'pulled' | 'up-to-date' | 'waiting' | 'left' | 'no-generation';
  generation?: number;
  replaced: number;
  removed: number;
  unchanged: number;
  /** Own files pushed before being replaced. */
  pushedFirst: number;
  /** Windows that were being written; the next pull handles them. */
  postponed: FileNotes;
  /** Files that could not be pushed, so their bytes were salvaged on the volume. */
  salvaged: FileNotes;
  /** While `waiting`. */
  waitingFor?: OwnWindows;
  /** The backup taken by this pull before its first overwrite. */
  backup?: string;
}

/** The summary of a pull that has done nothing yet. */
export function emptySummary(state: PullSummary['state']): PullSummary {
  const none = () => ({ count: 0, examples: [] });
  return {
    state,
    replaced: 0,
    removed: 0,
    unchanged: 0,
    pushedFirst: 0,
    postponed: none(),
    salvaged: none(),
  };
}

interface Logging {
  readonly log: Log;
  readonly cluster: ClusterId;
}

export function logWaiting({ log, cluster }: Logging, { count, hint }: OwnWindows): void {
  log.info(
    { event: 'primary.waiting', cluster, windows: count },
    `Primary waits for ${count} own windows: ${hint}`,
  );
}

export function logPulled(
  { log, cluster }: Logging,
  { state, generation, replaced, removed }: PullSummary,
): void {
  if (state !== 'pulled') return;
  log.info(
    { event: 'primary.pulled', cluster, generation, replaced, removed },
    `Primary pulled generation ${generation}: ${replaced} windows replaced, ${removed} removed`,
  );
}

export function logSalvaged(
  { log, cluster }: Logging,
  { path, copy, why }: { readonly path: string; readonly copy: string; readonly why: string },
): void {
  const ref = parseWindowId(path);
  log.warn(
    { event: 'primary.salvaged', cluster, pipeline: ref?.pipeline, resolution: ref?.resolution, path, copy },
    `Primary salvaged ${path} as ${copy} before replacing it, because it could not be pushed: ${why}`,
  );
}
