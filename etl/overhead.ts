import { embedded, f64, optional } from './codec';
import { adding, described, type Description, ownField } from './field';
import { weighted } from './merge-parts';
import type { NodeAsset, NodeOverhead } from './model';
import { assetVersions } from './versions';

const fields = {
  cpuOverheadFraction: ownField(f64),
  ramOverheadFraction: ownField(f64),
  overheadCostFraction: ownField(f64),
} satisfies Description<NodeOverhead, Costs>;

/** Codec of a node's overhead. Null means that the node has none. */
export const overhead = optional(embedded(described<NodeOverhead>(assetVersions, fields)));

/** The fields of a node that `addOverheads` needs. */
type Overheaded = Pick<NodeAsset, 'overhead' | 'cpuCost' | 'ramCost'>;

/** The nodes `a` and `b` whose overheads are added, and their total cost. CPU and RAM costs serve as weights. */
interface Costs {
  readonly a: Overheaded;
  readonly b: Overheaded;
  /** Total cost of both nodes together, including discount and adjustments. */
  readonly total: number;
}

const add = adding<NodeOverhead, Costs, typeof fields>(fields, (overheadA, overheadB, { a, b, total }) => {
  const cpu = weighted(overheadA.cpuOverheadFraction, a.cpuCost, overheadB.cpuOverheadFraction, b.cpuCost);
  const ram = weighted(overheadA.ramOverheadFraction, a.ramCost, overheadB.ramOverheadFraction, b.ramCost);
  const cost = cpu * (a.cpuCost + b.cpuCost) + ram * (a.ramCost + b.ramCost);
  return {
    cpuOverheadFraction: cpu,
    ramOverheadFraction: ram,
    overheadCostFraction: total === 0 ? 0 : cost / total,
  };
});

/**
 * Adds the overheads of two nodes. The CPU and RAM fractions are weighted by cost. `total` is the total cost of both
 * nodes. Returns null if either node has no overhead.
 */
export function addOverheads(a: Overheaded, b: Overheaded, total: number): NodeOverhead | null {
  if (a.overhead === null || b.overhead === null) return null;
  return add(a.overhead, b.overhead, { a, b, total });
}
