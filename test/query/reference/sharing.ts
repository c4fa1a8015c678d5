import type { Asset } from '../../../etl/model';
import type { AllocationRequest } from '../../../query/request';
import type { Span } from '../../../query/span';
import { clusterOf, countsForIdle } from './idle';
import { firstMember, type Piece, totalCost } from './piece';

/** Whether an allocation leaves the result, to be paid by the others. */
export function isShared(piece: Piece, { sharing }: AllocationRequest): boolean {
  const { namespace, labels } = firstMember(piece);
  return (
    sharing.namespaces.includes(namespace) ||
    sharing.labels.some(({ key, value }) => labels.get(key) === value)
  );
}

/** What is to be shared in a step: what the shared allocations cost with their idle, and a part of the monthly amount. */
export function sharedCost(step: Span, charged: readonly Piece[], request: AllocationRequest): number {
  const shared = charged.filter((piece) => isShared(piece, request));
  const hours = Math.max(0, Math.min(step.end, request.now) - step.start) / 3_600;
  const monthly = (request.sharing.monthlyCost / 730) * hours;
  return shared.reduce((sum, piece) => sum + totalCost(piece), monthly);
}

/**
 * What each group gets of a shared cost, by name. Evenly, every group that there is before the filter gets one share;
 * weighted, by cost before idle is shared, and what the filter takes away of a group takes its part of the share with
 * it.
 */
export function shareOut(
  cost: number,
  remaining: readonly Piece[],
  request: AllocationRequest,
  nameOf: (piece: Piece) => string,
  matches: (piece: Piece) => boolean,
): Map<string, number> {
  const weights = new Map<string, number>();
  let all = 0;
  for (const piece of remaining) {
    if (!countsForIdle(piece)) continue;
    weights.set(nameOf(piece), (weights.get(nameOf(piece)) ?? 0) + (matches(piece) ? totalCost(piece) : 0));
    all += totalCost(piece);
  }
  const part = (weight: number) => {
    if (request.sharing.split === 'even') return 1 / weights.size;
    return all === 0 ? 0 : weight / all;
  };
  return new Map([...weights].map(([name, weight]) => [name, cost * part(weight)]));
}

/** What each allocation gets of what the management of its cluster costs, by cost before idle is shared. */
export function tenancyShares(
  assets: readonly Asset[],
  remaining: readonly Piece[],
  request: AllocationRequest,
): Map<Piece, number> {
  const shares = new Map<Piece, number>();
  if (!request.sharing.tenancy) return shares;
  const tenants = Map.groupBy(remaining.filter(countsForIdle), (piece) => firstMember(piece).cluster);
  for (const [cluster, pieces] of tenants) {
    const cost = managementCost(assets, cluster, request.reconcile);
    const all = pieces.reduce((sum, piece) => sum + totalCost(piece), 0);
    if (all === 0) continue;
    for (const piece of pieces) shares.set(piece, (cost * totalCost(piece)) / all);
  }
  return shares;
}

function managementCost(assets: readonly Asset[], cluster: string, reconcile: boolean): number {
  let cost = 0;
  for (const asset of assets) {
    if (asset.type !== 'ClusterManagement' || clusterOf(asset) !== cluster) continue;
    cost += asset.cost + (reconcile ? asset.adjustment : 0);
  }
  return cost;
}
