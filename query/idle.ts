/** The resources whose costs make up the cost of a node. For each resource, a part of the cost may be idle. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
export type ByResource = Record<Resource, number>;

/**
 * Cost of the allocations of a cluster or node in one time step. Includes adjustments, but not the cost of unmounted
 * volumes.
 */
export interface Used {
  readonly all: ByResource;
  /** Cost of only those allocations that pass the filter. */
  readonly kept: ByResource;
}

/** Cost of a node, or of all nodes of a cluster together, in one time step. Includes discounts and adjustments. */
export interface NodeCost {
  readonly step: number;
  /** Id of the cluster in the database. */
  readonly cluster: number;
  /** Name of the node. Empty if this is the cost of all nodes of the cluster. */
  readonly node: string;
  readonly providerID: string;
  readonly start: number;
  readonly end: number;
  readonly cost: ByResource;
}

/**
 * Idle cost of a cluster or node in one time step. `shown` is the part that appears in separate rows of idle cost.
 * `factor` is used if idle cost is distributed over the allocations instead: an allocation's part of the idle cost is
 * `factor` times the allocation's own cost.
 */
export interface Idle extends Omit<NodeCost, 'cost'> {
  readonly shown: ByResource;
  readonly factor: ByResource;
}

const none: Used = { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };

/**
 * Computes idle costs. The idle cost of a cluster or node is the cost of its nodes minus the cost of its allocations.
 * It is negative for nodes that are over-committed.
 *
 * If `share` is true, idle cost is distributed over the allocations in proportion to their cost. Otherwise, idle cost
 * appears in separate rows. If the query also has a filter, these rows contain only a part of the idle cost. For
 * example, if 30 % of the allocations' cost passes the filter, the rows contain 30 % of the idle cost.
 *
 * Without allocations, idle cost cannot be distributed. It then appears in separate rows, or nowhere if the query has a
 * filter.
 */
export function computeIdle(
  nodes: readonly NodeCost[],
  used: ReadonlyMap<string, Used>,
  { share, filtered }: { readonly share: boolean; readonly filtered: boolean },
): Idle[] {
  return nodes.map(({ step, cluster, node, providerID, start, end, cost }) => {
    const group = { step, cluster, node, providerID, start, end };
    const { all, kept } = used.get(groupKey(group)) ?? none;
    const shown = { cpu: 0, gpu: 0, ram: 0 };
    const factor = { cpu: 0, gpu: 0, ram: 0 };
    for (const resource of resources) {
      const idle = cost[resource] - all[resource];
      const nobody = all[resource] === 0;
      if (share && !nobody) factor[resource] = idle / all[resource];
      else if (!filtered) shown[resource] = idle;
      else if (!nobody) shown[resource] = (idle * kept[resource]) / all[resource];
    }
    return { ...group, shown, factor };
  });
}

/** Returns a text that identifies a cluster or node in a time step. */
export function groupKey({ step, cluster, node }: Pick<NodeCost, 'step' | 'cluster' | 'node'>): string {
  return `${step} ${cluster} ${node}`;
}
