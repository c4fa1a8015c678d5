import { parseWindowId, type WindowRef } from '../etl/window';
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
  /** The newest generation, if there is one. */
  readonly base?: Generation;
  /** Who is in now. */
  readonly membership: Membership;
  /** The window files of the included clusters. */
  readonly candidates: Candidates;
  /**
   * In unix seconds, where not every file was listed: of windows that ended later, every file was. Of the others nothing
   * is said. Only for a membership that is the base's.
   */
  readonly since?: number;
  /** By number: the generations that last held the clusters that return. */
  readonly lastGenerations: ReadonlyMap<number, Pick<Generation, 'windows'>>;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  /** When the plan is made, in unix seconds: windows older than the retention go. */
  readonly now: number;
}

export interface Plan {
  /** The number of the generation that it starts from; 0 when there is none. */
  readonly base: number;
  /** To be merged, or found finished, in the order of their ids. */
  readonly windows: readonly PlannedWindow[];
  /** Windows of the base that stay as they are. */
  readonly carried: readonly string[];
  /** Windows of the base that leave, as they are older than the retention. */
  readonly removed: readonly string[];
  /** Entries of the base that stay, whatever the merges find: for windows that are not planned and excluded clusters. */
  readonly quarantined: readonly QuarantinedSource[];
  readonly duplicates: readonly Duplicate[];
}

/**
 * Decides which windows to merge: those whose fingerprint the base does not hold. Pure; the same input in any order
 * gives the same plan.
 *
 * A bad source that the base knows keeps its decision as long as it is not replaced, so that it is not read in every
 * run; another merge revision, `force` and `full` look at it again. Windows that start before the cut-off are left
 * alone, unless a cluster of the base leaves or comes back: a cluster is in all its windows of a generation or in none.
 * For the same reason a request for some windows is widened to all when the membership is not the base's. Windows older
 * than the retention are left alone in any case, and leave. Windows whose files were not all listed are left alone, too.
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
  private readonly returning: Map<string, number>;
  private readonly quarantined = new Map<string, Map<string, QuarantinedSource>>();
  private readonly cutoff: number;
  /** Whether a cluster of the base is out now, or one comes back. */
  private readonly clustersMoved: boolean;
  private readonly span: FederationRequest['windows'];

  constructor(private readonly input: PlanInput) {
    const { base, membership, request } = input;
    const included = new Set(membership.clusters);
    for (const source of base?.quarantined ?? []) {
      if (!included.has(source.cluster)) continue;
      const ofWindow = this.quarantined.get(source.window) ?? new Map<string, QuarantinedSource>();
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

  /** Every window that anybody knows, in the order of the ids. */
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
    // Whether a cluster that comes back without a file ever had one, only the provenance of its last generation knows.
    const unknown = Object.keys(returning).some(
      (cluster) => !sources.some((source) => source.cluster === cluster),
    );
    const candidate = fingerprint(ref, sources);
    const again = this.isForced(ref, 'force') || this.isForced(ref, 'full');
    if (current === candidate && !unknown && !again) return undefined;
    // Nothing there, and nothing to come: a window that has only refused sources is not planned in every run.
    if (current === undefined && !unknown && !sources.some((source) => contributes(source.decision)))
      return undefined;
    const quarantined = [...(this.quarantined.get(id)?.values() ?? [])];
    return {
      window: id,
      candidate,
      sources,
      base: current,
      returning,
      quarantined,
      force: this.isForced(ref, 'force'),
    };
  }

  /** Whether a window is older than the retention, whatever is known of it. */
  isExpired(id: string): boolean {
    const ref = parseWindowId(id);
    return ref !== undefined && isExpired(ref, this.input.membership.scope, this.input.now);
  }

  /** Whether a quarantined source of a window that is not planned is still to be listed. */
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
      .flatMap((cluster) => {
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
