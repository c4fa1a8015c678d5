import type { Derived } from '../query/derived';
import type { Measure } from '../query/measures';

/**
 * Name of a numeric member in the rows of answers. `minutes` is not included, because it is written separately, after
 * the start and end times.
 */
type NumberMember = Measure | Exclude<keyof Derived, 'minutes'>;

/** Which answers show a number: only full allocation answers, both full answers and summaries, or no answers at all. */
type Shown = 'in full only' | 'in summaries too' | 'nowhere';

/** All numbers of an allocation, in the order of OpenCost's answers. Each value says which answers show the number. */
const shown = {
  cpuCores: 'in full only',
  cpuCoreRequestAverage: 'in summaries too',
  cpuCoreUsageAverage: 'in summaries too',
  cpuCoreLimitAverage: 'in summaries too',
  cpuCoreHours: 'in full only',
  cpuCost: 'in summaries too',
  cpuCostAdjustment: 'in full only',
  cpuCostIdle: 'in summaries too',
  cpuEfficiency: 'in full only',
  gpuCount: 'in full only',
  gpuHours: 'in full only',
  gpuCost: 'in summaries too',
  gpuCostAdjustment: 'in full only',
  gpuCostIdle: 'in summaries too',
  gpuEfficiency: 'in full only',
  gpuRequestAverage: 'in summaries too',
  gpuUsageAverage: 'in summaries too',
  networkTransferBytes: 'in full only',
  networkReceiveBytes: 'in full only',
  networkCost: 'in summaries too',
  networkCrossZoneCost: 'in full only',
  networkCrossRegionCost: 'in full only',
  networkInternetCost: 'in full only',
  networkNatGatewayEgressCost: 'in full only',
  networkNatGatewayIngressCost: 'in full only',
  networkCostAdjustment: 'in full only',
  loadBalancerCost: 'in summaries too',
  loadBalancerCostAdjustment: 'in full only',
  pvBytes: 'in full only',
  pvByteHours: 'in full only',
  pvCost: 'in summaries too',
  pvCostAdjustment: 'in full only',
  ramBytes: 'in full only',
  ramByteRequestAverage: 'in summaries too',
  ramByteUsageAverage: 'in summaries too',
  ramByteLimitAverage: 'in summaries too',
  ramByteHours: 'in full only',
  ramCost: 'in summaries too',
  ramCostAdjustment: 'in full only',
  ramCostIdle: 'in summaries too',
  ramEfficiency: 'in full only',
  externalCost: 'in summaries too',
  sharedCost: 'in summaries too',
  totalCost: 'in summaries too',
  totalEfficiency: 'in summaries too',
} as const satisfies Record<NumberMember, Shown>;

type NameOf<Where extends Shown> = {
  [Name in NumberMember]: (typeof shown)[Name] extends Where ? Name : never;
}[NumberMember];

/** Names of the numbers in a full allocation answer, in output order. */
export const allocationNumbers = (Object.keys(shown) as NumberMember[]).filter(
  // At present no number has the value 'nowhere' in `shown`, so the filter keeps all numbers.
  (name) => (shown[name] as Shown) !== 'nowhere',
);

/** Name of a numeric member that is included in summary answers. */
export type SummaryNumber = NameOf<'in summaries too'>;
