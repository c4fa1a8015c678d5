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
  /** The newest generation; undefined if there is none. */
  readonly base?: Generation;
  /** Membership that this run uses. */
  readonly membership: Membership;
  /** The window files of the included clusters. */
  readonly candidates: Candidates;
  /**
   * If only recent windows were listed, the unix time in seconds from which the listing is complete: it includes all
   * windows that end after this time. Undefined if all windows were listed. Must be undefined if the membership differs
   * from the base generation's membership.
   */
  readonly since?: number;
  /** For clusters that are now included again, after an exclusion or a removal: the last generations that included them, keyed by generation number. */
  readonly lastGenerations: ReadonlyMap<number, Pick<Generation, 'windows'>>;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  /** Time of the plan, in unix seconds. It decides which windows are older than the retention. */
  readonly now: number;
}

export interface Plan {
  /** Number of the generation that the plan starts from; 0 if there is none. */
  readonly base: number;
  /** Windows to merge, in the order of their ids. Some of their merged objects may already exist. */
  readonly windows: readonly PlannedWindow[];
  /** Ids of windows that the next generation copies unchanged from the base generation. */
  readonly carried: readonly string[];
  /** Ids of windows in the base generation that are older than the retention, so they are removed. */
  readonly removed: readonly string[];
  /**
   * Quarantined sources that the next generation copies from the base generation, regardless of the results of the
   * merges. Each belongs to a window that is not planned, or to an excluded cluster.
   */
  readonly quarantined: readonly QuarantinedSource[];
  readonly duplicates: readonly Duplicate[];
}

/**
 * Decides which windows to merge: those whose fingerprint differs from the one in the base generation. This is a pure
 * function, and the order of its input does not matter.
 *
 * - A source that the base generation quarantines is read again only if its file has been replaced, if `mergeRevision`
 *   has been raised, or if the request sets `force` or `full`.
 * - A generation contains all windows of a cluster or none. So if a cluster is newly excluded or removed, or included
 *   again, all windows with its data change, even those that start before the cut-off (`scope.cutoff` of the membership).
 * - If no cluster leaves or is included again, windows that start before the cut-off stay as they are.
 * - If the membership has changed, the run is not limited to the windows that the request selects.
 * - Windows older than the retention are never merged. If the base generation has them, they are removed.
 * - If only recent windows were listed, all older windows stay as they are.
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
      (Object.hasOwn(membership.excluded, source.cluster) ||
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
  /**
   * Whether a cluster is newly excluded or removed (the base generation includes it) or included again (the base
   * generation does not include it).
   */
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

  /** Lists the ids of all known windows, in byte order. */
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
    // A cluster that is included again may have no file now, but may have had one earlier. Only the provenance in the
    // last generation that included the cluster shows whether it had one.
    const unknown = Object.keys(returning).some(
      (cluster) => !sources.some((source) => source.cluster === cluster),
    );
    const candidate = fingerprint(ref, sources);
    const again = this.isForced(ref, 'force') || this.isForced(ref, 'full');
    if (current === candidate && !unknown && !again) return undefined;
    // Without this check, a window that has only refused sources would be planned in every run.
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

  /** Returns whether a window is older than the retention. */
  isExpired(id: string): boolean {
    const ref = parseWindowId(id);
    return ref !== undefined && isExpired(ref, this.input.membership.scope, this.input.now);
  }

  /** For a quarantined source whose window is not planned: returns whether the next generation still lists it. */
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
