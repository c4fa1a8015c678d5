import type { ClusterId } from '../etl/cluster-id';
import { parseWindowId, windowId, type WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates, Duplicate } from './candidates';
import { absent, contributes, kept, refused } from './decision';
import { isExpired } from './expired';
import { fingerprint } from './fingerprint';
import type { Generation, QuarantinedSource } from './generation';
import { isRecent } from './listing';
import { type Membership, returningClusters, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import type { PlannedSource, PlannedWindow } from './plan-document';
import type { FederationRequest } from './run';

export interface PlanInput {
  /** The newest generation, if any. */
  readonly base?: Generation;
  /** The membership of this run. */
  readonly membership: Membership;
  /** The window files of the included clusters. */
  readonly candidates: Candidates;
  /**
   * Time in unix seconds; set if not every file was listed. Windows that ended later were listed in full; nothing is
   * known of older ones. Only allowed if the membership is the same as the base's.
   */
  readonly since?: number;
  /** By generation number: the generations that were the last to include the returning clusters. */
  readonly lastGenerations: ReadonlyMap<number, Pick<Generation, 'windows'>>;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  /** Time of the plan, in unix seconds. It decides which windows are older than the retention. */
  readonly now: number;
}

export interface Plan {
  /** Number of the generation that the plan starts from; 0 if there is none. */
  readonly base: number;
  /** Windows to merge, in the order of their ids. Some may turn out to have been merged already. */
  readonly windows: readonly PlannedWindow[];
  /** Windows of the base that the next generation has unchanged. */
  readonly carried: readonly string[];
  /** Windows of the base to remove, as they are older than the retention. */
  readonly removed: readonly string[];
  /**
   * Quarantined sources of the base that the next generation lists, too, whatever the merges find: those of windows
   * that are not planned, and those of excluded clusters.
   */
  readonly quarantined: readonly QuarantinedSource[];
  readonly duplicates: readonly Duplicate[];
}

/**
 * Decides which windows to merge: those whose fingerprint is not in the base. It is a pure function; the same input in
 * any order gives the same plan.
 *
 * - A source that the base quarantined keeps its decision until its file is replaced, so that it is not read in every
 *   run. Another merge revision, `force` or `full` makes the run look at it again.
 * - Windows that start before the cut-off are not touched, unless a cluster of the base leaves or returns: a generation
 *   has all windows of a cluster or none. For the same reason, a request for some windows covers all windows if the
 *   membership is not the base's.
 * - Windows older than the retention are never merged. If the base has them, they are removed.
 * - Windows whose files were not all listed are not touched.
 */
export function planFederation(input: PlanInput): Plan {
  const { base, membership } = input;
  const planner = new Planner(input);
  const windows: PlannedWindow[] = [];
  const carried: string[] = [];
  const removed: string[] = [];
  for (const id of planner.knownWindows()) {
    if (planner.isExpired(id)) {
      if (base?.windows[id] !== undefined) removed.push(id);
      continue;
    }
    const planned = planner.plan(id);
    if (planned !== undefined) windows.push(planned);
    else if (base?.windows[id] !== undefined) carried.push(id);
  }
  const planned = new Set(windows.map((window) => window.window));
  const quarantined = (base?.quarantined ?? []).filter(
    (source) =>
      !planner.isExpired(source.window) &&
      (membership.excluded[source.cluster] !== undefined ||
        (membership.clusters.includes(source.cluster) &&
          !planned.has(source.window) &&
          planner.isStillBad(source))),
  );
  const duplicates = input.candidates.duplicates();
  return { base: base?.generation ?? 0, windows, carried, removed, quarantined, duplicates };
}

class Planner {
  private readonly returning: Map<ClusterId, number>;
  private readonly quarantined = new Map<string, Map<ClusterId, QuarantinedSource>>();
  private readonly cutoff: number;
  /** Whether a cluster of the base is now excluded, or an excluded one returns. */
  private readonly clustersMoved: boolean;
  private readonly span: FederationRequest['windows'];

  constructor(private readonly input: PlanInput) {
    const { base, membership, request } = input;
    const included = new Set(membership.clusters);
    for (const source of base?.quarantined ?? []) {
      if (!included.has(source.cluster)) continue;
      const ofWindow = this.quarantined.get(source.window) ?? new Map<ClusterId, QuarantinedSource>();
      this.quarantined.set(source.window, ofWindow.set(source.cluster, source));
    }
    this.returning = returningClusters(membership, base?.membership);
    this.cutoff =
      membership.scope.cutoff === undefined ? -Infinity : Date.parse(membership.scope.cutoff) / 1000;
    this.clustersMoved =
      this.returning.size > 0 ||
      (base?.membership.clusters.some((cluster) => !included.has(cluster)) ?? false);
    const sameMembers =
      base !== undefined &&
      sameMembership(base.membership, membership) &&
      base.membership.clusters.join('/') === membership.clusters.join('/');
    this.span = sameMembers ? request.windows : undefined;
  }

  /** Lists all known windows, in the order of their ids. */
  knownWindows(): string[] {
    const known = new Set([
      ...this.input.candidates.windows(),
      ...Object.keys(this.input.base?.windows ?? {}),
      ...this.quarantined.keys(),
    ]);
    for (const last of this.returning.values()) {
      for (const id of Object.keys(this.input.lastGenerations.get(last)?.windows ?? {})) known.add(id);
    }
    return [...known].sort(byBytes);
  }

  plan(id: string): PlannedWindow | undefined {
    const ref = parseWindowId(id);
    if (ref === undefined || !this.isSelected(id, ref)) return undefined;
    const current = this.input.base?.windows[id]?.fingerprint;
    const returning = this.returningTo(id);
    const sources = this.sources(id, ref);
    // If a returning cluster has no file for the window, only the provenance in its last generation shows whether it
    // ever had one.
    const unknown = Object.keys(returning).some(
      (cluster) => !sources.some((source) => source.cluster === cluster),
    );
    const candidate = fingerprint(ref, sources);
    const again = this.isForced(ref, 'force') || this.isForced(ref, 'full');
    if (current === candidate && !unknown && !again) return undefined;
    // The base does not have the window, and there is nothing to merge. Without this check, a window that has only
    // refused sources would be planned in every run.
    if (current === undefined && !unknown && !sources.some((source) => contributes(source.decision)))
      return undefined;
    const quarantined = [...(this.quarantined.get(id)?.values() ?? [])];
    return {
      window: windowId(ref),
      candidate,
      sources,
      base: current,
      returning,
      quarantined,
      force: this.isForced(ref, 'force'),
    };
  }

  /** Whether a window is older than the retention. */
  isExpired(id: string): boolean {
    const ref = parseWindowId(id);
    return ref !== undefined && isExpired(ref, this.input.membership.scope, this.input.now);
  }

  /** Whether the next generation still lists a quarantined source whose window is not planned. */
  isStillBad(source: QuarantinedSource): boolean {
    const ref = parseWindowId(source.window);
    if (ref === undefined) return false;
    if (this.input.base?.windows[source.window] !== undefined || !this.isSelected(source.window, ref))
      return true;
    return this.input.candidates.of(source.window).get(source.cluster)?.version === source.seen;
  }

  private isSelected(id: string, ref: WindowRef): boolean {
    if (!overlaps(ref, this.span)) return false;
    if (this.input.since !== undefined && !isRecent(ref, this.input.since)) return false;
    if (ref.window.start >= this.cutoff) return true;
    return (
      this.clustersMoved && (this.input.base?.windows[id] !== undefined || hasKeys(this.returningTo(id)))
    );
  }

  private isForced(ref: WindowRef, how: 'force' | 'full'): boolean {
    return this.input.request[how] === true && overlaps(ref, this.input.request.windows);
  }

  private returningTo(id: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [cluster, last] of this.returning) {
      const window = this.input.lastGenerations.get(last)?.windows[id];
      if (window !== undefined) found[cluster] = window.fingerprint;
    }
    return found;
  }

  private sources(id: string, ref: WindowRef): PlannedSource[] {
    const files = this.input.candidates.of(id);
    const quarantined = this.quarantined.get(id);
    const lookAgain =
      this.input.base?.mergeRevision !== mergeRevision ||
      this.isForced(ref, 'force') ||
      this.isForced(ref, 'full');
    return [...new Set([...files.keys(), ...(quarantined?.keys() ?? [])])]
      .sort(byBytes)
      .flatMap((cluster): PlannedSource[] => {
        const file = files.get(cluster);
        const source = quarantined?.get(cluster);
        if (file === undefined) {
          if (source?.seen !== absent || source.kept === undefined) return [];
          return [{ cluster, seen: absent, decision: kept(source.kept), size: 0 }];
        }
        const known = source?.seen === file.version && !lookAgain ? source : undefined;
        const decision =
          known === undefined ? 'used' : known.kept === undefined ? refused(known.code) : kept(known.kept);
        const path = file.path === undefined ? {} : { path: file.path };
        return [{ cluster, seen: file.version, decision, size: file.size, ...path }];
      });
  }
}

function overlaps(ref: WindowRef, span: FederationRequest['windows']): boolean {
  return span === undefined || (ref.window.start < span.end && ref.window.end > span.start);
}

function hasKeys(record: Record<string, string>): boolean {
  return Object.keys(record).length > 0;
}
