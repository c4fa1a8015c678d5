import { FederationError } from '../errors/federation-error';
import type { WindowRef } from '../etl/window';
import { absent, contributes, keptVersion } from '../federation/decision';
import { fingerprint } from '../federation/fingerprint';
import { type QuarantinedSource, quarantineState } from '../federation/generation';
import { keptKey, objectKey } from '../federation/layout';
import { describeChange } from '../federation/measure';
import { describeTakenSource, type NameRules, namesOfOthers, nameTaken } from '../federation/name-conflicts';
import type { PlannedWindow } from '../federation/plan-document';
import type { Provenance } from '../federation/provenance';
import { findReuse, type Reuse } from '../federation/reuse';
import type { ShrinkageRules, ShrunkSource } from '../federation/shrinkage';
import type { MemoryBudget } from '../storage/memory-budget';
import { extractContributions, type ExtractedFile } from './extract-contributions';
import type { FederationDependencies } from './federation-dependencies';
import { findFinished, touchFinished, writeObject } from './finished-object';
import { judgeSources } from './judge-sources';
import { prefix } from './log-plan';
import { MergeReads, PreviousDamaged, SourceMoved } from './merge-reads';
import type { PreviousContributions } from './previous-contributions';
import { type BadFinding, quarantine } from './quarantine';
import type { BadSource, MergeAnswer, MergeTask } from './threads/merge-thread';
import { lookAgain, type WindowSource } from './window-sources';

/**
 * Maximum number of times that a merge looks up changed sources again. If they change even more often, the activity
 * fails and Temporal retries it.
 */
const mostLooks = 5;

/** The result of one attempt to merge: the merged window, or the sources that are bad or have changed. */
interface Tried {
  readonly bad: BadFinding[];
  readonly moved: readonly WindowSource[];
  readonly merged?: Provenance;
}

export interface WindowMergeContext extends Pick<FederationDependencies, 'bucket' | 'log' | 'threads'> {
  readonly planned: PlannedWindow;
  readonly ref: WindowRef;
  /** Time of the plan in unix seconds, and the rules by which files are judged. */
  readonly now: number;
  readonly shrinkage: ShrinkageRules;
  readonly previous: PreviousContributions;
  /** The owners of the cluster names, and the clusters that carry other clusters' names. */
  readonly rules: NameRules;
  /** If true, the window is merged even if it has been merged already. */
  readonly force: boolean;
  readonly memory: MemoryBudget;
  /** Maximum number of source bytes that the merge keeps in memory. The other bytes are read twice. */
  readonly mostHeld: number;
  readonly signal: AbortSignal;
}

export interface SettledWindow {
  /** The source of each cluster, with the final decision on how to merge it. Sorted by cluster id in byte order. */
  readonly sources: readonly WindowSource[];
  /** Provenance of the merged window; undefined if no cluster has a good contribution. */
  readonly merged?: Provenance;
  /** The sources that have become smaller but are merged. */
  readonly shrunk: readonly ShrunkSource[];
  /** True if the merged object already existed. */
  readonly reused: boolean;
}

/** Merges one window. Repeats the merge until every source has been either merged or quarantined. */
export class WindowMerge {
  /** What the merge is doing at the moment. Shown in the activity's heartbeats. */
  doing = 'starting';

  constructor(private readonly context: WindowMergeContext) {}

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
      // If a file must be held back, examine its names first, even if an earlier attempt has already merged the window.
      const examined = sources.some((source) => this.isHeldBack(source));
      const finished = force || examined ? undefined : await findFinished(bucket, name, { signal });
      const { bad, moved, merged } = finished
        ? { bad: [], moved: [], merged: finished }
        : await this.context.memory.within(Math.min(bytesOf(sources), this.context.mostHeld), signal, () =>
            this.tryMerge(name, sources),
          );
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
    return this.replace(listed, this.badByName(listed));
  }

  /**
   * Makes one attempt to merge: reads the sources, and writes the merged object and then its provenance. If any sources
   * are bad or have changed, writes no provenance and returns these sources.
   */
  private async tryMerge(name: string, sources: readonly WindowSource[]): Promise<Tried> {
    const { ref, planned, previous, force, log } = this.context;
    const reuse = force ? undefined : findReuse(previous.base, ref, sources);
    try {
      return await this.tryWith(reuse, name, sources);
    } catch (error) {
      if (!(error instanceof PreviousDamaged)) throw error;
      log.warn(
        { event: 'window.previous-damaged', key: objectKey(reuse?.previous.fingerprint ?? '') },
        `${prefix(planned.window)} merges ${planned.window} from all of its sources, as its previous object is damaged: ${error.message}`,
      );
      return this.tryWith(undefined, name, sources);
    }
  }

  private async tryWith(
    reuse: Reuse | undefined,
    name: string,
    sources: readonly WindowSource[],
  ): Promise<Tried> {
    const { bucket, ref, planned, threads, signal } = this.context;
    const contributing = sources.filter((source) => contributes(source));
    const files = planned.fromBase ? await this.extract(contributing, reuse) : undefined;
    const held = new Set(
      contributing.filter((source) => this.isHeldBack(source)).map(({ cluster }) => cluster),
    );
    const reads = new MergeReads({
      bucket,
      window: planned.window,
      sources: contributing,
      reuse,
      files,
      signal,
    });
    const task: MergeTask = {
      pipeline: ref.pipeline,
      window: ref.window,
      sources: contributing.map(({ cluster }) => ({
        cluster,
        from: reuse?.contributions.get(cluster),
        examine: held.has(cluster),
      })),
      previous: reuse?.previous.digest,
      bytes: bytesOf(sources),
      mostHeld: this.context.mostHeld,
    };
    this.doing = 'merging';
    try {
      const answer = await threads.merge(
        task,
        {
          read: (question) => reads.read(question),
          write: async (begun, chunks) => {
            this.doing = 'writing';
            reads.begin(begun);
            await writeObject(bucket, name, begun.size, chunks, { signal });
          },
        },
        signal,
      );
      if (answer.kind === 'previous-damaged') throw new PreviousDamaged(answer.detail);
      if (answer.kind === 'refused') return this.refused(contributing, answer);
      const merged = this.provenanceOf(name, sources, answer);
      await touchFinished(bucket, merged, { signal });
      return { bad: [], moved: [], merged };
    } catch (error) {
      if (error instanceof SourceMoved) return { bad: [], moved: [error.source] };
      throw error;
    } finally {
      await reads.close();
    }
  }

  /**
   * Restores the files of the sources from the base's merged object. Skips sources that `reuse` already takes from
   * there.
   */
  private async extract(
    sources: readonly WindowSource[],
    reuse: Reuse | undefined,
  ): Promise<Map<string, ExtractedFile>> {
    const { bucket, threads, ref, planned, previous, signal } = this.context;
    if (previous.base === undefined) {
      throw new FederationError('GENERATION_UNREADABLE', {
        subject: { window: planned.window },
        detail: 'The window has no merged object to take the contributions from.',
      });
    }
    const clusters = sources
      .map(({ cluster }) => cluster)
      .filter((cluster) => reuse?.contributions.has(cluster) !== true);
    if (clusters.length === 0) return new Map();
    const context = { bucket, threads, pipeline: ref.pipeline, signal };
    return extractContributions(context, previous.base, clusters);
  }

  /**
   * Builds the result of a merge that failed because of its sources. If some sources have changed, returns only those.
   * They are looked up and merged again before any bad source is quarantined.
   */
  private refused(
    read: readonly WindowSource[],
    { bad, moved }: Extract<MergeAnswer, { kind: 'refused' }>,
  ): Tried {
    const gone = read.filter(({ cluster }) => moved.includes(cluster));
    return gone.length > 0
      ? { bad: [], moved: gone }
      : { bad: bad.map((one) => this.finding(read, one)), moved: [] };
  }

  private provenanceOf(
    fingerprint: string,
    sources: readonly WindowSource[],
    { digest, size, contributions }: Extract<MergeAnswer, { kind: 'merged' }>,
  ): Provenance {
    const byCluster = new Map(contributions.map((contribution) => [contribution.id, contribution]));
    return {
      format: 1,
      fingerprint,
      window: this.context.planned.window,
      digest,
      size,
      sources: sources.map(({ cluster, seen, decision }) => ({
        cluster,
        seen,
        decision,
        contribution: byCluster.get(cluster),
      })),
      quarantined: sources.flatMap((source) => source.quarantined ?? []).map(withoutDecision),
    };
  }

  private finding(read: readonly WindowSource[], bad: BadSource): BadFinding {
    const source = read.find((one) => one.cluster === bad.cluster);
    if (source === undefined) throw new TypeError(`${bad.cluster} was not read.`);
    if (keptVersion(source.decision) !== undefined) {
      throw new FederationError('GENERATION_UNREADABLE', {
        subject: {
          cluster: bad.cluster,
          key: keptKey(source.cluster, this.context.planned.window),
        },
        detail: `The last good contribution cannot be read: ${bad.code}: ${bad.detail}`,
      });
    }
    return bad.names === undefined
      ? { source, code: bad.code, detail: bad.detail }
      : this.takenFinding(source, bad.names);
  }

  /**
   * Finds the sources that are bad because their clusters carry other clusters' names. Finds only those whose names are
   * known without reading the file: from the plan, or from the cluster's last contribution.
   */
  private badByName(sources: readonly WindowSource[]): BadFinding[] {
    const { previous } = this.context;
    return sources.flatMap((source) => {
      const merged = previous.taken.get(source.cluster);
      const isKept = keptVersion(source.decision) !== undefined;
      if (merged !== undefined && (isKept || this.isAsBefore(source)))
        return this.takenFinding(source, merged);
      return this.isHeldBack(source) && source.names !== undefined
        ? this.takenFinding(source, source.names)
        : [];
    });
  }

  private takenFinding(source: WindowSource, carried: readonly string[]): BadFinding {
    const { rules } = this.context;
    const names = namesOfOthers(source.cluster, carried, rules);
    return { source, names, code: nameTaken, detail: describeTakenSource(source.cluster, names, rules) };
  }

  /**
   * Returns whether a file must not be merged because its cluster carries other clusters' names. A file that has been
   * merged before stays merged.
   */
  private isHeldBack(source: WindowSource): boolean {
    const { rules } = this.context;
    return isFile(source) && Object.hasOwn(rules.nameConflicts, source.cluster) && !this.isAsBefore(source);
  }

  /** Returns whether the window's last object was merged from the same version of the file. */
  private isAsBefore(source: WindowSource): boolean {
    const before = this.context.previous.base?.sources.find(({ cluster }) => cluster === source.cluster);
    return before !== undefined && isFile(before) && isFile(source) && before.seen === source.seen;
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
   * Quarantines the bad sources. Returns all sources, with the bad ones marked as quarantined. Omits bad sources that
   * have no file and whose cluster never contributed to the window.
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
   * Logs that a source was quarantined. If `settled` is undefined, logs nothing: the source was dropped, because it has
   * no file and its cluster never contributed to the window.
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
    // A cluster that carries other clusters' names may have thousands of sources. One warning per run already names it.
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
        `${prefix(planned.window)} ${cluster} ${planned.window} is merged although it has lost much: ${describeChange(largest, now)}`,
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

/**
 * Removes the record of a person's decision to drop the source. Objects with the same sources must have the same
 * provenance, whatever has been decided about dropping them.
 */
function withoutDecision({ dropped: _dropped, ...source }: QuarantinedSource): QuarantinedSource {
  return source;
}

/** Returns whether the cluster's own file is merged, and not a kept contribution instead. */
function isFile({ seen, decision }: Pick<WindowSource, 'seen' | 'decision'>): boolean {
  return seen !== absent && (decision === 'used' || decision === 'accepted');
}

function bytesOf(sources: readonly WindowSource[]): number {
  return sources.reduce((sum, source) => sum + source.size, 0);
}
