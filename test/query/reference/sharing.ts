import type { Asset } from '../../../etl/model';
import type { AllocationRequest } from '../../../query/request';
import type { Span } from '../../../query/span';
import { clusterOf, countsForIdle } from './idle';
import { firstMember, type Piece, totalCost } from './piece';

/**
 * Returns whether an allocation is shared. A shared allocation is removed from the answer, and its cost is distributed
 * among the others.
 */
export function isShared(piece: Piece, { sharing }: AllocationRequest): boolean {
  const { namespace, labels } = firstMember(piece);
  return (
    sharing.namespaces.includes(namespace) ||
    sharing.labels.some(({ key, value }) => labels.get(key) === value)
  );
}

/**
 * Computes the cost that is shared in one step. It consists of the cost of the shared allocations, including their idle
 * costs, and of the monthly shared cost, prorated for the hours of the step that have passed.
 */
export function sharedCost(step: Span, charged: readonly Piece[], request: AllocationRequest): number {
  const shared = charged.filter((piece) => isShared(piece, request));
  const hours = Math.max(0, Math.min(step.end, request.now) - step.start) / 3_600;
  const monthly = (request.sharing.monthlyCost / 730) * hours;
  return shared.reduce((sum, piece) => sum + totalCost(piece), monthly);
}

/**
 * Splits a cost among groups. Returns the shares, keyed by group name.
 * - Even split: all groups get the same share, even if the filter drops all allocations of a group.
 * - Weighted split: each allocation gets a share in proportion to its cost, excluding idle costs. Shares of allocations
 *   that the filter drops are omitted.
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

/**
 * Splits the management cost of each cluster among the cluster's allocations, in proportion to their costs, excluding
 * idle costs.
 */
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
