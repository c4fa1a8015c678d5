/** The resources whose costs make up the cost of a node. For each resource, a part of the cost may be idle. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
export type ByResource = Record<Resource, number>;

/** Cost of the allocations of a cluster or node in one step. Adjustments are included, unmounted volumes are not. */
export interface Used {
  readonly all: ByResource;
  /** Cost of only those allocations that pass the filter. */
  readonly kept: ByResource;
}

/** Cost of a node in one step, or of all nodes of a cluster together. Discounts and adjustments are included. */
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
 * Idle cost of a cluster or node in one step. `shown` is the cost that rows of idle cost show. `factor` is for idle
 * cost that is shared among allocations: an allocation carries `factor` times its own cost.
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
 * If idle cost is shared, allocations carry it in proportion to their own cost. Otherwise, rows of idle cost show it.
 * If the query also has a filter, these rows show only a fraction of it: the fraction of the allocations' cost that
 * passes the filter.
 *
 * Without allocations, idle cost cannot be shared. It is then shown in rows of idle cost, unless there is a filter.
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

/** Returns a text that identifies a cluster or node in a step. */
export function groupKey({ step, cluster, node }: Pick<NodeCost, 'step' | 'cluster' | 'node'>): string {
  return `${step} ${cluster} ${node}`;
}
