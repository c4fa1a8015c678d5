import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { parseWindowId, windowId, type WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates, Duplicate } from './candidates';
import { absent, contributes, type Decision, kept, refused, type Seen } from './decision';
import { isExpired } from './expired';
import { fingerprint } from './fingerprint';
import type { AcceptedSource, Generation, QuarantinedSource } from './generation';
import { isRecent } from './listing';
import { type Membership, returningClusters, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import type { PlannedSource, PlannedWindow } from './plan-document';
import { asNamesSay, type PlannedNames } from './plan-names';
import type { FederationRequest } from './run';
import type { ShrunkSource } from './shrinkage';
import { overlaps } from './span';

export interface PlanInput {
  /**
   * The generation that the plan starts from; undefined if there is none. If the run commits a person's decision about
   * sources, this generation already reflects the decision.
   */
  readonly base?: Generation;
  /** Membership that this run uses. */
  readonly membership: Membership;
  /** The window files of the included clusters. */
  readonly candidates: Candidates;
  /**
   * If only recent windows were listed: the time, in unix seconds, from which the listing is complete. The listing
   * includes all windows that end after this time. Undefined if all windows were listed. Must be undefined if the
   * membership differs from the base generation's membership.
   */
  readonly since?: number;
  /**
   * Ids of windows in which the run accepts a source because a person has decided so. They are planned even if they
   * start before the cut-off or if the request does not select them. If there are any, all windows must have been
   * listed.
   */
  readonly decided?: ReadonlySet<string>;
  /**
   * For clusters that are now included again, after an exclusion or a removal: the last generations that included them,
   * keyed by generation number.
   */
  readonly lastGenerations: ReadonlyMap<number, Pick<Generation, 'windows'>>;
  /**
   * If the run ends a hold: the generation that was current before the rollback or, after several rollbacks in a row,
   * before the first of them. Clusters and windows that the base generation lacks are looked up in it.
   */
  readonly heldBack?: Pick<Generation, 'windows' | 'membership'>;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  /**
   * What is known about cluster names. If `freed` or `recheck` contains a cluster, all windows must have been listed.
   */
  readonly names: PlannedNames;
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
  /**
   * Accepted sources that the next generation copies from the base generation, regardless of the results of the merges.
   * Each belongs to a window that is not planned, or to an excluded cluster.
   */
  readonly accepted: readonly AcceptedSource[];
  /**
   * Shrunk sources that the next generation copies from the base generation, regardless of the results of the merges.
   * Each belongs to a window that is not planned, or to an excluded cluster.
   */
  readonly shrunk: readonly ShrunkSource[];
  readonly duplicates: readonly Duplicate[];
}

/**
 * Decides which windows to merge: those whose fingerprint differs from the one in the base generation. This is a pure
 * function, and the order of its input does not matter.
 *
 * - A source that the base generation quarantines is read again only if its file has been replaced, if `mergeRevision`
 *   has been raised, or if the request sets `force` or `full`. A source that a person has dropped or accepted is judged
 *   again only if its file has been replaced.
 * - If a cluster's files contain cluster names that belong to other clusters, its new files are not merged. Its data in
 *   the base generation stays.
 * - A generation contains all windows of a cluster or none. So if a cluster is newly excluded or removed, or included
 *   again, all windows with its data change, even those that start before the cut-off (`scope.cutoff` of the
 *   membership).
 * - If no cluster leaves or is included again, and no cluster name has a new owner, windows that start before the
 *   cut-off stay as they are.
 * - If the membership has changed, or a cluster name has a new owner, the run is not limited to the windows that the
 *   request selects.
 * - Windows older than the retention are never merged. If the base generation has them, they are removed.
 * - A window in which the run accepts a source is planned even if it starts before the cut-off or the request does not
 *   select it, but not if it is older than the retention.
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
      if (ownValue(base?.windows, id) !== undefined) removed.push(id);
      continue;
    }
    const planned = planner.plan(id);
    if (planned !== undefined) windows.push(planned);
    else if (ownValue(base?.windows, id) !== undefined) carried.push(id);
  }
  const planned = new Set(windows.map((window) => window.window));
  const stays = (source: ListedSource) =>
    !planner.isExpired(source.window) &&
    (Object.hasOwn(membership.excluded, source.cluster) ||
      (membership.clusters.includes(source.cluster) &&
        !planned.has(source.window) &&
        planner.isCurrent(source)));
  return {
    base: base?.generation ?? 0,
    windows,
    carried,
    removed,
    quarantined: planner.listed.filter(stays),
    accepted: (base?.accepted ?? []).filter(stays),
    shrunk: (base?.shrunk ?? []).filter(stays),
    duplicates: input.candidates.duplicates(),
  };
}

class Planner {
  private readonly returning: Map<ClusterId, number>;
  /**
   * The base generation's quarantined sources, except those that were quarantined for a name conflict that has ended.
   */
  readonly listed: readonly QuarantinedSource[];
  private readonly quarantined: SourcesByWindow<QuarantinedSource>;
  private readonly accepted: SourcesByWindow<AcceptedSource>;
  /** The cluster names found in files, by window, cluster and version. `nameKey` makes the keys. */
  private readonly names: ReadonlyMap<string, readonly string[]>;
  private readonly shrunk: SourcesByWindow<ShrunkSource>;
  private readonly cutoff: number;
  /**
   * True if any of these applies to a cluster:
   * - It is newly excluded or removed: the base generation includes it.
   * - It is included again: the base generation does not include it.
   * - All of its windows are affected, because a cluster name has a new owner.
   */
  private readonly clustersMoved: boolean;
  private readonly span: FederationRequest['windows'];

  constructor(private readonly input: PlanInput) {
    const { base, membership, request } = input;
    const included = new Set(membership.clusters);
    this.listed = asNamesSay(base?.quarantined ?? [], input.names, membership);
    this.quarantined = byWindow(this.listed, included);
    this.accepted = byWindow(base?.accepted, included);
    this.names = new Map(input.names.known.map((known) => [nameKey(known), known.names]));
    const namesMoved = input.names.recheck.size + input.names.freed.size > 0;
    this.shrunk = byWindow(base?.shrunk, included);
    this.returning = returningClusters(membership, base?.membership);
    this.cutoff =
      membership.scope.cutoff === undefined ? -Infinity : Date.parse(membership.scope.cutoff) / 1000;
    this.clustersMoved =
      namesMoved ||
      this.returning.size > 0 ||
      (base?.membership.clusters.some((cluster) => !included.has(cluster)) ?? false);
    const sameMembers =
      base !== undefined &&
      sameMembership(base.membership, membership) &&
      base.membership.clusters.join('/') === membership.clusters.join('/');
    this.span = sameMembers && !namesMoved ? request.windows : undefined;
  }

  /** Lists the ids of all known windows, in byte order. */
  knownWindows(): string[] {
    const known = new Set([
      ...this.input.candidates.windows(),
      ...Object.keys(this.input.base?.windows ?? {}),
      ...this.quarantined.keys(),
      ...Object.keys(this.input.heldBack?.windows ?? {}),
    ]);
    for (const last of this.returning.values()) {
      for (const id of Object.keys(this.input.lastGenerations.get(last)?.windows ?? {})) known.add(id);
    }
    return [...known].sort(byBytes);
  }

  plan(id: string): PlannedWindow | undefined {
    const ref = parseWindowId(id);
    if (ref === undefined || !this.isSelected(id, ref)) return undefined;
    const current = ownValue(this.input.base?.windows, id)?.fingerprint;
    const returning = this.returningTo(id);
    const sources = this.sources(id, ref);
    // A cluster that is included again may have no file now, but may have had one earlier. Only the provenance in the
    // last generation that included the cluster shows whether it had one.
    const unknown = Object.keys(returning).some(
      (cluster) => !sources.some((source) => source.cluster === cluster),
    );
    const candidate = fingerprint(ref, sources);
    const again =
      this.isForced(ref, 'force') ||
      this.isForced(ref, 'full') ||
      sources.some((source) => contributes(source) && this.input.names.recheck.has(source.cluster));
    if (current === candidate && !unknown && !again) return undefined;
    // Without this check, a window that has only refused sources would be planned in every run.
    if (current === undefined && !unknown && !sources.some(contributes)) return undefined;
    const quarantined = [...(this.quarantined.get(id)?.values() ?? [])];
    return {
      window: windowId(ref),
      candidate,
      sources,
      base: current,
      returning,
      quarantined,
      accepted: [...(this.accepted.get(id)?.values() ?? [])],
      shrunk: [...(this.shrunk.get(id)?.values() ?? [])],
      force: this.isForced(ref, 'force'),
      fromBase: false,
    };
  }

  /** Returns whether a window is older than the retention. */
  isExpired(id: string): boolean {
    const ref = parseWindowId(id);
    return ref !== undefined && isExpired(ref, this.input.membership.scope, this.input.now);
  }

  /** Returns whether the next generation still lists a source whose window is not planned. */
  isCurrent(source: ListedSource): boolean {
    const ref = parseWindowId(source.window);
    if (ref === undefined) return false;
    if (
      ownValue(this.input.base?.windows, source.window) !== undefined ||
      !this.isSelected(source.window, ref)
    )
      return true;
    return this.seenNow(source) === source.seen;
  }

  private seenNow({ window, cluster }: ListedSource): Seen {
    return this.input.candidates.of(window).get(cluster)?.version ?? absent;
  }

  /** Returns the cluster names that were found in a file, if its cluster carries other clusters' names. */
  private foundNames(cluster: ClusterId, window: string, seen: Seen): Pick<PlannedSource, 'names'> {
    if (!Object.hasOwn(this.input.names.nameConflicts, cluster)) return {};
    const names = this.names.get(nameKey({ cluster, window, seen }));
    return names === undefined ? {} : { names: [...names] };
  }

  private isSelected(id: string, ref: WindowRef): boolean {
    if (this.input.decided?.has(id) === true) return true;
    if (!overlaps(ref.window, this.span)) return false;
    if (this.input.since !== undefined && !isRecent(ref, this.input.since)) return false;
    if (ref.window.start >= this.cutoff) return true;
    return (
      this.clustersMoved &&
      (ownValue(this.input.base?.windows, id) !== undefined || hasKeys(this.returningTo(id)))
    );
  }

  private isForced(ref: WindowRef, how: 'force' | 'full'): boolean {
    return this.input.request[how] === true && overlaps(ref.window, this.input.request.windows);
  }

  private returningTo(id: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [cluster, last] of this.returning) {
      const window = ownValue(this.input.lastGenerations.get(last)?.windows, id);
      if (window !== undefined) found[cluster] = window.fingerprint;
    }
    const { base, heldBack, membership } = this.input;
    const later = ownValue(heldBack?.windows, id);
    if (heldBack === undefined || later === undefined) return found;
    const had = new Set(ownValue(base?.windows, id) === undefined ? [] : base?.membership.clusters);
    for (const cluster of membership.clusters) {
      const isReturning = heldBack.membership.clusters.includes(cluster) && !had.has(cluster);
      if (isReturning && !Object.hasOwn(found, cluster)) found[cluster] = later.fingerprint;
    }
    return found;
  }

  private sources(id: string, ref: WindowRef): PlannedSource[] {
    const files = this.input.candidates.of(id);
    const quarantined = this.quarantined.get(id);
    const accepted = this.accepted.get(id);
    const lookAgain =
      this.input.base?.mergeRevision !== mergeRevision ||
      this.isForced(ref, 'force') ||
      this.isForced(ref, 'full');
    return [...new Set([...files.keys(), ...(quarantined?.keys() ?? []), ...(accepted?.keys() ?? [])])]
      .sort(byBytes)
      .flatMap((cluster): PlannedSource[] => {
        const file = files.get(cluster);
        const source = quarantined?.get(cluster);
        const taken = accepted?.get(cluster)?.seen === (file?.version ?? absent);
        if (file === undefined) {
          if (taken) return [{ cluster, seen: absent, decision: 'accepted', size: 0 }];
          if (source?.seen !== absent || source.kept === undefined) return [];
          return [{ cluster, seen: absent, decision: kept(source.kept), size: 0 }];
        }
        const isKnown =
          source?.seen === file.version &&
          (source.dropped !== undefined || !(lookAgain || isReadAgain(source)));
        const decision = taken ? 'accepted' : isKnown ? decisionOn(source) : 'used';
        const path = file.path === undefined ? {} : { path: file.path };
        const names = this.foundNames(cluster, id, file.version);
        return [{ cluster, seen: file.version, decision, size: file.size, ...path, ...names }];
      });
  }
}

function nameKey(source: { cluster: ClusterId; window: string; seen: Seen }): string {
  return JSON.stringify([source.cluster, source.window, source.seen]);
}

/** An entry in one of a generation's lists of sources. */
type ListedSource = QuarantinedSource | AcceptedSource | ShrunkSource;

type SourcesByWindow<Source> = ReadonlyMap<string, ReadonlyMap<ClusterId, Source>>;

/** Groups the sources of included clusters by window and cluster. */
function byWindow<Source extends { window: string; cluster: ClusterId }>(
  sources: readonly Source[] = [],
  included: ReadonlySet<ClusterId>,
): SourcesByWindow<Source> {
  const found = new Map<string, Map<ClusterId, Source>>();
  for (const source of sources) {
    if (!included.has(source.cluster)) continue;
    const ofWindow = found.get(source.window) ?? new Map<ClusterId, Source>();
    found.set(source.window, ofWindow.set(source.cluster, source));
  }
  return found;
}

/**
 * Returns whether a quarantined file is read again by each run, although it has not changed: its bytes may have changed
 * on the way from the store.
 */
function isReadAgain({ code }: QuarantinedSource): boolean {
  return code === 'STORAGE_CORRUPT';
}

function decisionOn({ kept: version, code }: QuarantinedSource): Decision {
  return version === undefined ? refused(code) : kept(version);
}

function hasKeys(record: Record<string, string>): boolean {
  return Object.keys(record).length > 0;
}
