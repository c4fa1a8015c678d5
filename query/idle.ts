/** The resources whose costs make up the cost of a node. Each of them can be idle. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
export type ByResource = Record<Resource, number>;

/**
 * Cost of the allocations of an idle group in a step, adjustments included, unmounted volumes excluded. An idle group
 * is a cluster or a node.
 */
export interface Used {
  readonly all: ByResource;
  /** Cost of the allocations that the filter keeps. */
  readonly kept: ByResource;
}

/** Cost of the nodes of an idle group in a step, after discount and adjustment. */
export interface NodeCost {
  readonly step: number;
  /** Number of the group's cluster. */
  readonly cluster: number;
  /** Name of the node; empty if the idle group is a cluster. */
  readonly node: string;
  readonly providerID: string;
  readonly start: number;
  readonly end: number;
  readonly cost: ByResource;
}

/**
 * Idle cost of a group in a step. `shown` is the amount for idle rows. `factor` is the idle cost that allocations
 * carry, per unit of their own cost.
 */
export interface Idle extends Omit<NodeCost, 'cost'> {
  readonly shown: ByResource;
  readonly factor: ByResource;
}

const none: Used = { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };

/**
 * Computes idle costs. Idle cost is the cost of nodes minus that of their allocations; it is negative for
 * over-committed nodes. If there is a filter, idle rows show only the part of the kept allocations, in proportion to
 * their cost. If idle is shared, allocations carry it in proportion to their cost. The idle cost of a group without
 * allocations cannot be shared; it is shown unless there is a filter.
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

/** Returns the key of an idle group in a step. */
export function groupKey({ step, cluster, node }: Pick<NodeCost, 'step' | 'cluster' | 'node'>): string {
  return `${step} ${cluster} ${node}`;
}
