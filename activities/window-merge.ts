import { FederationError } from '../errors/federation-error';
import { absent, contributes, keptVersion } from '../federation/decision';
import { fingerprint } from '../federation/fingerprint';
import { quarantineState } from '../federation/generation';
import { describeChange } from '../federation/measure';
import { nameTaken } from '../federation/name-conflicts';
import type { Provenance } from '../federation/provenance';
import type { ShrinkageRules, ShrunkSource } from '../federation/shrinkage';
import { findFinished } from './finished-object';
import { judgeSources } from './judge-sources';
import { prefix } from './log-plan';
import { type AttemptContext, attemptMerge } from './merge-attempt';
import { type BadFinding, quarantine } from './quarantine';
import { findTaken, isHeldBack } from './taken-names';
import { lookAgain, type WindowSource } from './window-sources';

/**
 * Maximum number of times that a merge looks up changed sources again. If they change even more often, the activity
 * fails and Temporal retries it.
 */
const mostLooks = 5;

export interface WindowMergeContext extends Omit<AttemptContext, 'onStep'> {
  /** Time of the plan in unix seconds. `shrinkage` decides when a file that has become smaller is quarantined. */
  readonly now: number;
  readonly shrinkage: ShrinkageRules;
}

export interface SettledWindow {
  /** The source of each cluster, with the final decision on how to merge it. Sorted by cluster id in byte order. */
  readonly sources: readonly WindowSource[];
  /** Provenance of the merged window; undefined if no cluster has a good contribution. */
  readonly merged?: Provenance;
  /** The sources that are merged although they have become smaller. */
  readonly shrunk: readonly ShrunkSource[];
  /** True if the merged object already existed. */
  readonly reused: boolean;
}

/** Merges one window. Repeats the merge until every source has been either merged or quarantined. */
export class WindowMerge {
  /** What the merge is doing at the moment. Shown in the activity's heartbeats. */
  doing = 'starting';

  private readonly attempt: AttemptContext;

  constructor(private readonly context: WindowMergeContext) {
    this.attempt = { ...context, onStep: (doing) => (this.doing = doing) };
  }

  /**
   * Tries to merge the window until it succeeds. If an attempt fails because of bad sources, quarantines them. If it
   * fails because sources have changed, looks them up again. Throws STORAGE_CONFLICT if sources have changed in more
   * than `mostLooks` attempts.
   */
  async settle(planned: readonly WindowSource[]): Promise<SettledWindow> {
    const { bucket, ref, signal, force } = this.context;
    let sources = await this.replaceKnownBad(planned);
    for (let looks = 0; ;) {
      if (!sources.some((source) => contributes(source))) return { sources, shrunk: [], reused: false };
      const name = fingerprint(ref, sources);
      // If a file is held back because of cluster names, examine the names in the file first, even if an earlier
      // attempt has already merged the window.
      const examined = sources.some((source) => isHeldBack(this.context, source));
      const finished = force || examined ? undefined : await findFinished(bucket, name, { signal });
      const { bad, moved, merged } = finished
        ? { bad: [], moved: [], merged: finished }
        : await attemptMerge(this.attempt, name, sources);
      if (merged !== undefined) {
        const judged = judgeSources({ ...this.context, end: ref.window.end }, sources, merged);
        if (judged.bad.length === 0) {
          this.logShrunk(judged.named);
          return { sources, merged, shrunk: judged.shrunk, reused: merged === finished };
        }
        sources = await this.replace(sources, judged.bad);
        continue;
      }
      if (moved.some((source) => keptVersion(source.decision) === undefined) && ++looks > mostLooks)
        throw this.keepsChanging(moved);
      sources = await this.lookAgainAt(sources, moved);
      sources = await this.replace(sources, bad);
      sources = await this.replaceKnownBad(sources);
    }
  }

  /** Quarantines the sources that are known to be bad without being read. */
  private async replaceKnownBad(sources: readonly WindowSource[]): Promise<WindowSource[]> {
    const listed = await this.replace(sources, badByListing(sources));
    return this.replace(listed, findTaken(this.context, listed));
  }

  /**
   * Updates each source in `moved`. For an ordinary source, looks up the current version of the cluster's file. This
   * version is judged like any new file, unless a person has accepted it. For a quarantined source, writes the
   * cluster's last good contribution to `kept/` again, because it has disappeared from there.
   */
  private async lookAgainAt(
    sources: readonly WindowSource[],
    moved: readonly WindowSource[],
  ): Promise<WindowSource[]> {
    const { bucket, signal } = this.context;
    const gone: BadFinding[] = [];
    const now: WindowSource[] = [];
    for (const source of sources) {
      if (!moved.some((one) => one.cluster === source.cluster)) now.push(source);
      else if (source.quarantined === undefined)
        now.push(this.asAccepted(await lookAgain(bucket, source, { signal })));
      else {
        const { code, detail } = source.quarantined;
        gone.push({ source, code: code as BadFinding['code'], detail, keptIsGone: true });
        now.push(source);
      }
    }
    return this.replace(now, gone);
  }

  private asAccepted(source: WindowSource): WindowSource {
    const accepted = this.context.planned.accepted.some(
      ({ cluster, seen }) => cluster === source.cluster && seen === source.seen,
    );
    return accepted ? { ...source, decision: 'accepted' } : source;
  }

  /**
   * Quarantines the bad sources. Returns all sources, with the bad ones marked as quarantined. Omits a bad source if it
   * has no file and its cluster never contributed to the window.
   */
  private async replace(
    sources: readonly WindowSource[],
    bad: readonly BadFinding[],
  ): Promise<WindowSource[]> {
    if (bad.length === 0) return [...sources];
    this.doing = 'quarantining bad sources';
    const settled = new Map((await quarantine(this.context, bad)).map((source) => [source.cluster, source]));
    const replaced = new Set(bad.map(({ source }) => source.cluster));
    for (const { source, code, detail } of bad)
      this.logQuarantined(source, settled.get(source.cluster), code, detail);
    return sources.flatMap((source) =>
      replaced.has(source.cluster) ? (settled.get(source.cluster) ?? []) : source,
    );
  }

  /**
   * Logs that a source was quarantined. `settled` is undefined if the window no longer has this source, because there
   * is no file and the cluster never contributed to the window. In that case, logs nothing.
   */
  private logQuarantined(
    source: WindowSource,
    settled: WindowSource | undefined,
    code: string,
    detail: string,
  ): void {
    if (settled === undefined) return;
    const { log, planned } = this.context;
    const state = quarantineState(settled.quarantined ?? {});
    // A cluster that carries other clusters' names may have thousands of sources. One warning per run names the cluster
    // anyway.
    const level = code === nameTaken ? 'debug' : 'warn';
    log[level](
      { event: 'source.quarantined', cluster: source.cluster, state, code, key: source.key },
      `${prefix(planned.window)} ${source.cluster} ${planned.window}: ${code}, ${state}. ${detail}`,
    );
  }

  private logShrunk(named: readonly ShrunkSource[]): void {
    const { log, planned } = this.context;
    for (const { cluster, largest, now } of named) {
      log.warn(
        { event: 'source.shrunk', cluster, largest, now },
        `${prefix(planned.window)} ${cluster} ${planned.window} is merged although it has shrunk: ${describeChange(largest, now)}`,
      );
    }
  }

  private keepsChanging(moved: readonly WindowSource[]): FederationError {
    const [source] = moved;
    return new FederationError('STORAGE_CONFLICT', {
      subject: { cluster: source?.cluster, window: this.context.planned.window, key: source?.key },
      detail: `A source changed ${mostLooks + 1} times while the window was being merged.`,
    });
  }
}

/** Finds the sources whose file is missing or empty. These are known to be bad without being read. */
function badByListing(sources: readonly WindowSource[]): BadFinding[] {
  return sources.flatMap((source): BadFinding[] => {
    if (source.decision !== 'used') return [];
    if (source.seen === absent) {
      return [{ source, code: 'SOURCE_VANISHED', detail: 'The file is gone from the cluster’s folder.' }];
    }
    return source.size === 0 ? [{ source, code: 'ETL_EMPTY_FILE', detail: 'The file has no bytes.' }] : [];
  });
}
