import type { costRoles } from '../etl/cost';
import type { Measure } from './measures';

type Roles = (typeof costRoles)['allocation'];

/** The measures that make up a total: the fields that count for an allocation's cost, and its volumes. */
export type CostMeasure =
  { [Name in keyof Roles]: Roles[Name] extends 'counts' ? Name : never }[keyof Roles] | 'pvCost';

/** In the order of adding: another order changes the last digits of totals. */
const summands = {
  cpuCost: 'summand',
  cpuCostAdjustment: 'summand',
  gpuCost: 'summand',
  gpuCostAdjustment: 'summand',
  ramCost: 'summand',
  ramCostAdjustment: 'summand',
  pvCost: 'summand',
  pvCostAdjustment: 'summand',
  networkCost: 'summand',
  networkCostAdjustment: 'summand',
  loadBalancerCost: 'summand',
  loadBalancerCostAdjustment: 'summand',
  sharedCost: 'summand',
  externalCost: 'summand',
} satisfies Record<CostMeasure & Measure, 'summand'>;

/** The parts of a total, adjustments included. Cross-zone, cross-region and internet costs are part of `networkCost`. */
export const costMeasures = Object.keys(summands) as readonly CostMeasure[];

/** The total cost of a row, adjustments included. */
export function rowCost(row: Readonly<Record<CostMeasure, number>>): number {
  return costMeasures.reduce((sum, measure) => sum + row[measure], 0);
}
