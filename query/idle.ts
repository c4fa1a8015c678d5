/** The resources that nodes are paid for, and that can be idle. */
export const resources = ['cpu', 'gpu', 'ram'] as const;
export type Resource = (typeof resources)[number];
export type ByResource = Record<Resource, number>;

/** What the plain allocations of an idle group (a cluster or a node) cost in a step, adjustments included. */
export interface Used {
  readonly all: ByResource;
  /** Of those that the filter keeps. */
  readonly kept: ByResource;
}

/** What the nodes of an idle group cost in a step, after discount and adjustment. */
export interface NodeCost {
  readonly step: number;
  /** The number of the cluster. */
  readonly cluster: number;
  /** Empty where a group is a cluster. */
  readonly node: string;
  readonly providerID: string;
  readonly start: number;
  readonly end: number;
  readonly cost: ByResource;
}

/** Idle of a group in a step: what is shown of it, and what allocations take over for each unit of their own cost. */
export interface Idle extends Omit<NodeCost, 'cost'> {
  readonly shown: ByResource;
  readonly factor: ByResource;
}

const none: Used = { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };

/**
 * Idle is what nodes cost less what allocations cost; nodes that are over-committed have a negative one. What is shown
 * follows the filter: the part of it that the kept allocations have of all. Shared, it goes to the allocations by
 * their cost; what nobody uses cannot be shared, and is shown.
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

/** Names an idle group of a step. */
export function groupKey({ step, cluster, node }: Pick<NodeCost, 'step' | 'cluster' | 'node'>): string {
  return `${step} ${cluster} ${node}`;
}
