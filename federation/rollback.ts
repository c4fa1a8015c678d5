import type { ClusterId } from '../etl/cluster-id';
import { parseWindowId, windowId } from '../etl/window';
import { byBytes } from './byte-order';
import { contributes } from './decision';
import { fingerprint } from './fingerprint';
import type { Generation, QuarantinedSource } from './generation';
import type { Membership } from './membership';
import type { Plan } from './plan';
import type { PlannedSource, PlannedWindow } from './plan-document';
import { contributors, type Provenance } from './provenance';

/** The clusters that a rollback brings back, and those that it does not. */
export interface RollbackMembers {
  readonly membership: Membership;
  /** Clusters of the target generation that are excluded or removed today. They stay out of every window. */
  readonly out: readonly ClusterId[];
  /** Clusters that are included today, but that the target generation did not have. */
  readonly lacking: readonly ClusterId[];
}

/**
 * Decides which clusters a rollback brings back: those of the target generation that are included today.
 *
 * @param today the membership as it is today; `clusters` may include clusters that the target does not have
 */
export function rollbackMembers(
  target: Pick<Generation, 'generation' | 'membership'>,
  today: Membership,
): RollbackMembers {
  const included = new Set(today.clusters);
  const had = new Set(target.membership.clusters);
  const out = target.membership.clusters.filter((cluster) => !included.has(cluster));
  const excluded = { ...today.excluded };
  for (const cluster of out) {
    const entry = excluded[cluster];
    // If the entry has no `lastGeneration`, no generation after the target included the cluster. So the last one that
    // included it is the target.
    if (entry !== undefined) excluded[cluster] = { lastGeneration: target.generation, ...entry };
  }
  return {
    membership: { ...today, clusters: today.clusters.filter((cluster) => had.has(cluster)), excluded },
    out,
    lacking: today.clusters.filter((cluster) => !had.has(cluster)),
  };
}

export interface RollbackInput extends Pick<RollbackMembers, 'membership' | 'out'> {
  /** The generation whose windows become current again. */
  readonly target: Generation;
  /** The newest generation that can be read. */
  readonly newest: Pick<Generation, 'quarantined' | 'accepted' | 'shrunk'>;
  /** Provenance of the target's windows, by window id. Needed only if `out` is not empty. */
  readonly provenance: ReadonlyMap<string, Provenance>;
}

/**
 * Plans a rollback: the windows of the target generation become current as they are. Only windows with data of a
 * cluster that stays out are merged again. Their other contributions come from the target's merged objects, not from
 * the clusters' files, which may have changed since.
 */
export function planRollback({ target, newest, membership, out, provenance }: RollbackInput): Plan {
  const included = new Set(membership.clusters);
  const windows: PlannedWindow[] = [];
  const carried: string[] = [];
  const removed: string[] = [];
  for (const id of Object.keys(target.windows).sort(byBytes)) {
    const merged = provenance.get(id);
    if (merged === undefined || !contributors(merged).some((cluster) => out.includes(cluster))) {
      carried.push(id);
      continue;
    }
    const planned = planWithout(merged, target, included);
    if (planned === undefined) removed.push(id);
    else windows.push(planned);
  }
  const planned = new Set(windows.map(({ window }) => window));
  const stays = ({ cluster, window }: SourceOfWindow) => included.has(cluster) && !planned.has(window);
  // As in every plan, the sources of excluded clusters keep their state (such as quarantined) until the clusters are
  // included again. Take this state from the newest generation, because the state in the target may be outdated.
  const waits = ({ cluster }: SourceOfWindow) => Object.hasOwn(membership.excluded, cluster);
  return {
    base: target.generation,
    windows,
    carried,
    removed,
    quarantined: [...target.quarantined.filter(stays), ...newest.quarantined.filter(waits)],
    accepted: [...target.accepted.filter(stays), ...newest.accepted.filter(waits)],
    shrunk: [...target.shrunk.filter(stays), ...newest.shrunk.filter(waits)],
    duplicates: [],
  };
}

type SourceOfWindow = Pick<QuarantinedSource, 'cluster' | 'window'>;

/**
 * Plans a window of the target without the clusters that stay out. Returns undefined if no cluster remains in the
 * window.
 */
function planWithout(
  merged: Provenance,
  target: Generation,
  included: ReadonlySet<string>,
): PlannedWindow | undefined {
  const ref = parseWindowId(merged.window);
  const stay = merged.sources.filter(({ cluster }) => included.has(cluster));
  if (ref === undefined || !stay.some(contributes)) return undefined;
  const sources = stay.map(({ cluster, seen, decision, contribution }): PlannedSource => ({
    cluster,
    seen,
    decision,
    // A source of size 0 would be treated as a bad file.
    size: Math.max(1, contribution?.length ?? 0),
  }));
  const isHere = ({ cluster, window }: SourceOfWindow) => window === merged.window && included.has(cluster);
  return {
    window: windowId(ref),
    candidate: fingerprint(ref, sources),
    sources,
    base: merged.fingerprint,
    returning: {},
    quarantined: target.quarantined.filter(isHere),
    accepted: target.accepted.filter(isHere),
    shrunk: target.shrunk.filter(isHere),
    force: false,
    fromBase: true,
  };
}
