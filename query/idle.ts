/** The resources that make up a node's cost and can be idle. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
export type ByResource = Record<Resource, number>;

/** Cost of the plain allocations of an idle group (a cluster or a node) in a step, adjustments included. */
export interface Used {
  readonly all: ByResource;
  /** Cost of those that the filter keeps. */
  readonly kept: ByResource;
}

/** Cost of the nodes of an idle group in a step, after discount and adjustment. */
export interface NodeCost {
  readonly step: number;
  /** Number of the cluster. */
  readonly cluster: number;
  /** Empty if the idle group is a cluster. */
  readonly node: string;
  readonly providerID: string;
  readonly start: number;
  readonly end: number;
  readonly cost: ByResource;
}

/** Idle cost of a group in a step: the part that is shown, and the factor of their own cost that allocations carry. */
export interface Idle extends Omit<NodeCost, 'cost'> {
  readonly shown: ByResource;
  readonly factor: ByResource;
}

const none: Used = { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };

/**
 * Idle cost is the cost of nodes minus that of their allocations; it is negative for over-committed nodes. With a filter,
 * the kept allocations' share of it is shown. If idle is shared, allocations carry it in proportion to their cost; idle of
 * a group without allocations cannot be shared and is shown.
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

/** Key of an idle group in a step. */
export function groupKey({ step, cluster, node }: Pick<NodeCost, 'step' | 'cluster' | 'node'>): string {
  return `${step} ${cluster} ${node}`;
}
