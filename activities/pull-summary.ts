import type { Log } from '../config/log';
import type { ClusterId } from '../etl/cluster-id';
import { parseWindowId } from '../etl/window';
import { count } from '../federation/count';
import type { PullRefusal } from '../local-etl/primary';
import type { FileNotes } from './file-notes';
import type { OwnWindows } from './primary-guard';

/** The result of a pull. Shown by the pull workflow and the verb `status`. */
export interface PullSummary {
  /**
   * - `waiting`: not all of the cluster's own windows are combined yet, so none may be overwritten.
   * - `left`: an operator ended the cluster's role as a primary.
   * - `no-generation`: nothing has been combined yet.
   * - `refused`: the bucket does not continue what was pulled before. The pull changed nothing.
   */
  state: 'pulled' | 'up-to-date' | 'waiting' | 'left' | 'no-generation' | 'refused';
  generation?: number;
  replaced: number;
  removed: number;
  unchanged: number;
  /** Number of the cluster's own files that were pushed before the pull replaced them. */
  pushedFirst: number;
  /**
   * Windows that were neither replaced nor removed, because the cluster was writing them, this process may not read or
   * write them, or there is a link on their path. The next pull tries again.
   */
  postponed: FileNotes;
  /** Files and folders that could not be read. */
  unreadable: FileNotes;
  /** Links found where folders or window files were expected. They are not followed. */
  links: FileNotes;
  /** Files that could not be pushed before the pull replaced them. The pull saved copies of them on the volume. */
  salvaged: FileNotes;
  /** Set if the state is `waiting`: the cluster's own windows that are not combined yet. */
  waitingFor?: OwnWindows;
  /** Set if the state is `waiting`: the time at which the cluster began to wait, in RFC 3339 format. */
  waitingSince?: string;
  /** Set if the state is `refused`: the reason, and what to do. */
  refused?: PullRefusal;
  /** Name of the backup that this pull made before it replaced the first file. */
  backup?: string;
}

/** Returns the summary of a pull that has done nothing yet. */
export function emptySummary(state: PullSummary['state']): PullSummary {
  const none = () => ({ count: 0, examples: [] });
  return {
    state,
    replaced: 0,
    removed: 0,
    unchanged: 0,
    pushedFirst: 0,
    postponed: none(),
    unreadable: none(),
    links: none(),
    salvaged: none(),
  };
}

interface Logging {
  readonly log: Log;
  readonly cluster: ClusterId;
}

export function logWaiting({ log, cluster }: Logging, { count, hint }: OwnWindows, since: string): void {
  log.info(
    { event: 'primary.waiting', cluster, windows: count, since },
    `Primary waits for ${count} own windows since ${since}: ${hint}`,
  );
}

export function logPulled(
  { log, cluster }: Logging,
  { state, generation, replaced, removed }: PullSummary,
): void {
  if (state !== 'pulled') return;
  log.info(
    { event: 'primary.pulled', cluster, generation, replaced, removed },
    `Primary pulled generation ${generation}: ${count(replaced, 'window')} replaced, ${removed} removed`,
  );
}

/**
 * Logs the windows that a pull postponed, unless they are the same as after the previous pull (`before`). Returns the
 * text to pass as `before` after the next pull.
 */
export function logPostponed({ log, cluster }: Logging, { postponed }: PullSummary, before: string): string {
  const text = describePostponed(postponed);
  if (text !== '' && text !== before)
    log.warn({ event: 'primary.postponed', cluster, windows: postponed.count }, `Primary ${text}`);
  return text;
}

/** Describes the windows that a pull postponed, with an example. Returns an empty text if there are none. */
export function describePostponed({ count: windows, examples: [first] }: FileNotes): string {
  if (first === undefined) return '';
  return `could not replace ${count(windows, 'window')} yet, such as ${first.path}: ${first.why}`;
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
