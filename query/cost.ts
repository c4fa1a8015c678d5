import type { costRoles } from '../etl/cost';
import type { Measure } from './measures';

type Roles = (typeof costRoles)['allocation'];

/**
 * Names of the measures that together make up the total cost: the fields of an allocation that are part of its cost,
 * and the cost of its volumes.
 */
export type CostMeasure =
  { [Name in keyof Roles]: Roles[Name] extends 'counts' ? Name : never }[keyof Roles] | 'pvCost';

/**
 * The parts of the total cost, in the order in which they are added up. A different order would change the last digits
 * of the total.
 */
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

/**
 * Names of the measures that together make up the total cost, including adjustments. Cross-zone, cross-region and
 * internet costs are not listed, because `networkCost` already includes them.
 */
export const costMeasures = Object.keys(summands) as readonly CostMeasure[];

/** Returns the total cost of a row, including adjustments. */
export function rowCost(row: Readonly<Record<CostMeasure, number>>): number {
  return costMeasures.reduce((sum, measure) => sum + row[measure], 0);
}
