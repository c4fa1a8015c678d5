import type { AllocationRow } from './answer';

type Costs = Pick<
  AllocationRow,
  | 'cpuCost'
  | 'cpuCostAdjustment'
  | 'gpuCost'
  | 'gpuCostAdjustment'
  | 'ramCost'
  | 'ramCostAdjustment'
  | 'pvCost'
  | 'pvCostAdjustment'
  | 'networkCost'
  | 'networkCostAdjustment'
  | 'loadBalancerCost'
  | 'loadBalancerCostAdjustment'
  | 'sharedCost'
  | 'externalCost'
>;

/** The parts of a total, adjustments included. Cross-zone, cross-region and internet costs are part of `networkCost`. */
export const costMeasures = [
  'cpuCost',
  'cpuCostAdjustment',
  'gpuCost',
  'gpuCostAdjustment',
  'ramCost',
  'ramCostAdjustment',
  'pvCost',
  'pvCostAdjustment',
  'networkCost',
  'networkCostAdjustment',
  'loadBalancerCost',
  'loadBalancerCostAdjustment',
  'sharedCost',
  'externalCost',
] as const satisfies readonly (keyof Costs)[];

/** The total cost of a row, adjustments included. */
export function rowCost(row: Costs): number {
  return costMeasures.reduce((sum, measure) => sum + row[measure], 0);
}
