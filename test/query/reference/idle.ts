import { displayText } from '../../../etl/byte-string';
import { assetCost } from '../../../etl/cost';
import type { Asset, NodeAsset } from '../../../etl/model';
import type { Span } from '../../../query/span';
import {
  firstMember,
  isStoredIdle,
  isUnmounted,
  type Piece,
  secondsOf,
  someNumbers,
  someProperties,
} from './piece';

/** Resources for which idle costs are computed. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
type Costs = Record<Resource, number>;

/** Idle cost of a cluster, or of one node if the request asks for idle costs by node. */
export interface Idle {
  readonly cluster: string;
  /** Name of the node; empty if this is the idle cost of a whole cluster. */
  readonly node: string;
  readonly providerID: string;
  readonly start: number;
  readonly end: number;
  /** Idle cost: the cost of the nodes minus `used`, for each resource. */
  readonly cost: Costs;
  /** Cost of all allocations of this cluster or node. */
  readonly used: Costs;
}

interface Place {
  cluster: string;
  node: string;
  nodes: NodeAsset[];
  allocations: Piece[];
}

/**
 * Computes the idle costs of a time step, by cluster or by node. The keys of the result are those that `placeOf`
 * returns. If a cluster has no assets, neither the cluster nor its nodes have idle costs. Otherwise, a cluster or node
 * has idle costs if there is a node asset for it, or if it has allocations with CPU, GPU or RAM costs.
 */
export function computeIdle(
  step: Span,
  assets: readonly Asset[],
  pieces: readonly Piece[],
  options: { readonly byNode: boolean; readonly reconcile: boolean },
): Map<string, Idle> {
  const clusters = new Set(assets.map(clusterOf));
  const places = new Map<string, Place>();
  const placeAt = (cluster: string, node: string): Place => {
    const [key, place] = [placeKey(cluster, node), { cluster, node, nodes: [], allocations: [] }];
    return places.get(key) ?? (places.set(key, place), place);
  };
  for (const asset of assets) {
    if (asset.type !== 'Node') continue;
    const node = options.byNode ? displayText(asset.properties?.name ?? '') : '';
    placeAt(clusterOf(asset), node).nodes.push(asset);
  }
  for (const piece of pieces) {
    if (!countsForIdle(piece)) continue;
    const { cluster, node } = firstMember(piece);
    if (clusters.has(cluster)) placeAt(cluster, options.byNode ? node : '').allocations.push(piece);
  }
  const idle = new Map<string, Idle>();
  for (const [key, place] of places) {
    const found = idleAt(place, step, options);
    const says = place.nodes.length > 0 || resources.some((resource) => found.used[resource] !== 0);
    if (says) idle.set(key, found);
  }
  return idle;
}

/** Returns the key that the cluster or node of an allocation has in the result of `computeIdle`. */
export function placeOf(piece: Piece, byNode: boolean): string {
  const { cluster, node } = firstMember(piece);
  return placeKey(cluster, byNode ? node : '');
}

/**
 * Returns whether an allocation uses resources of nodes. Unmounted volumes and idle records from ETL files do not, so
 * the computation of idle costs ignores them.
 */
export function countsForIdle(piece: Piece): boolean {
  return !isUnmounted(piece) && !isStoredIdle(piece);
}

/** Returns the cost of one resource of an allocation, including its adjustment. */
export function resourceCost({ numbers }: Piece, resource: Resource): number {
  return numbers[`${resource}Cost`] + numbers[`${resource}CostAdjustment`];
}

/** Converts an idle cost to a `Piece`, as if it were an allocation. */
export function idlePiece(idle: Idle, cost: Costs, name: string): Piece {
  const { cluster, node, providerID, start, end } = idle;
  return {
    name,
    members: [someProperties({ cluster, node, providerID })],
    start,
    end,
    numbers: someNumbers({ cpuCost: cost.cpu, gpuCost: cost.gpu, ramCost: cost.ram }),
    pvs: new Map(),
    balancers: new Map(),
    gpu: null,
    raw: null,
  };
}

export function clusterOf(asset: Asset): string {
  return displayText(asset.properties?.cluster ?? '');
}

function placeKey(cluster: string, node: string): string {
  return JSON.stringify([cluster, node]);
}

function idleAt(place: Place, step: Span, options: { byNode: boolean; reconcile: boolean }): Idle {
  const { cluster, node, nodes, allocations } = place;
  const cost: Costs = { cpu: 0, gpu: 0, ram: 0 };
  const used: Costs = { cpu: 0, gpu: 0, ram: 0 };
  for (const resource of resources) {
    for (const piece of allocations) used[resource] += resourceCost(piece, resource);
    for (const asset of nodes) cost[resource] += nodeCost(asset, resource, options.reconcile);
    cost[resource] -= used[resource];
  }
  const ids = new Set(nodes.map(({ properties }) => displayText(properties?.providerID ?? '')));
  return {
    cluster,
    node,
    providerID: options.byNode && ids.size === 1 ? ([...ids][0] ?? '') : '',
    start: nodes.length === 0 ? step.start : Math.min(...nodes.map(({ start }) => secondsOf(start))),
    end: nodes.length === 0 ? step.end : Math.max(...nodes.map(({ end }) => secondsOf(end))),
    cost,
    used,
  };
}

/**
 * Computes the cost of one resource of a node, after the node's discount. If `reconcile` is true, the cost includes
 * part of the node's adjustment, which is distributed among the resources in proportion to their costs.
 */
function nodeCost(asset: NodeAsset, resource: Resource, reconcile: boolean): number {
  const node = reconcile ? asset : { ...asset, adjustment: 0 };
  const total = assetCost(node);
  const unadjusted = total - node.adjustment;
  const ratio = node.adjustment === 0 ? 1 : unadjusted === 0 ? 0 : total / unadjusted;
  if (resource === 'gpu') return node.gpuCost * ratio;
  return (resource === 'cpu' ? node.cpuCost : node.ramCost) * (1 - node.discount) * ratio;
}
