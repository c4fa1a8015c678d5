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

/** The overhead of a node, or none. */
export const overhead = optional(embedded(described<NodeOverhead>(assetVersions, fields)));

/** The fields of a node that its overhead depends on. */
type Overheaded = Pick<NodeAsset, 'overhead' | 'cpuCost' | 'ramCost'>;

/** The costs that the fractions of two nodes refer to. */
interface Costs {
  readonly a: Overheaded;
  readonly b: Overheaded;
  /** The total cost of both nodes. */
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

/** CPU and RAM fractions weighted by cost; null unless both nodes have an overhead. */
export function addOverheads(a: Overheaded, b: Overheaded, total: number): NodeOverhead | null {
  if (a.overhead === null || b.overhead === null) return null;
  return add(a.overhead, b.overhead, { a, b, total });
}
