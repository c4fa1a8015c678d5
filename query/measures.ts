import type { NumberName } from '../etl/field';
import type { Allocation, PVAllocation } from '../etl/model';
import { type Resource, resources } from './idle';

/*
 * The numeric fields of allocations in answers. They derive from the fields of the ETL format: if a codec version adds
 * one, the code does not compile until it has an entry below. The tables, the sums, the export and the API derive their
 * fields from these entries.
 */

/**
 * Numeric fields of an allocation that are stored under another name. Fields marked as `not stored` are in no answer.
 */
export const storedAs = {
  // Version 22 stores the two deprecated averages in the record, later versions in the GPU part. They are stored as one
  // measure each, wherever they come from.
  deprecatedGpuRequestAverage: 'gpuRequestAverage',
  deprecatedGpuUsageAverage: 'gpuUsageAverage',
  // Kubecost's API uses the singular `Byte`.
  ramBytesRequestAverage: 'ramByteRequestAverage',
  ramBytesUsageAverage: 'ramByteUsageAverage',
  ramBytesLimitAverage: 'ramByteLimitAverage',
} as const satisfies Partial<Record<NumberName<Allocation>, string>>;

type StoredName<Name extends NumberName<Allocation>> = Name extends keyof typeof storedAs
  ? (typeof storedAs)[Name]
  : Name;

/** A number that is stored for each allocation: one of its fields, or the sum of a field of its volumes. */
export type StoredMeasure =
  Exclude<StoredName<NumberName<Allocation>>, 'not stored'> | `pv${Capitalize<NumberName<PVAllocation>>}`;

/** How a measure is merged and documented. */
interface MeasureFacts {
  /** How the values of several allocations are merged: added up, or averaged, weighted by duration. */
  readonly merging: 'sum' | 'average';
  readonly unit: string;
  /** The description in the export's documentation. */
  readonly meaning: string;
}

/** The unit of costs, which are in the currency of the clusters. */
export const money = 'currency';

function total(unit: string, meaning: string): MeasureFacts {
  return { merging: 'sum', unit, meaning };
}

function average(unit: string, meaning: string): MeasureFacts {
  return { merging: 'average', unit, meaning };
}

function cost(meaning: string): MeasureFacts {
  return total(money, meaning);
}

/** Every stored measure, in the order of the tables and the export. Costs exclude their adjustments. */
export const measureFacts = {
  cpuCoreHours: total('core hours', 'CPU that it was charged for: the greater of usage and request'),
  cpuCoreRequestAverage: average(
    'cores',
    'CPU that it requested, on average from `start_time` to `end_time`',
  ),
  cpuCoreUsageAverage: average('cores', 'CPU that it used, on average'),
  cpuCoreLimitAverage: average('cores', 'its CPU limit, on average; 0 without a limit'),
  cpuCost: cost('the cost of its CPU'),
  cpuCostAdjustment: cost('adjustment of `cpu_cost` by reconciliation'),
  gpuHours: total('GPU hours', 'GPUs that it was charged for'),
  gpuRequestAverage: average('GPUs', 'GPUs that it requested, on average'),
  gpuUsageAverage: average('share', 'share of its GPUs that it used, on average, as measured by its cluster'),
  gpuCost: cost('the cost of its GPUs'),
  gpuCostAdjustment: cost('adjustment of `gpu_cost` by reconciliation'),
  networkTransferBytes: total('bytes', 'bytes that it sent over the network'),
  networkReceiveBytes: total('bytes', 'bytes that it received over the network'),
  networkCost: cost('the cost of its network traffic'),
  networkCrossZoneCost: cost('the part of `network_cost` between zones'),
  networkCrossRegionCost: cost('the part of `network_cost` between regions'),
  networkInternetCost: cost('the part of `network_cost` to the Internet'),
  networkNatGatewayEgressCost: cost('the part of `network_cost` out through NAT gateways'),
  networkNatGatewayIngressCost: cost('the part of `network_cost` in through NAT gateways'),
  networkCostAdjustment: cost('adjustment of `network_cost` by reconciliation'),
  loadBalancerCost: cost('the cost of its load balancers'),
  loadBalancerCostAdjustment: cost('adjustment of `load_balancer_cost` by reconciliation'),
  pvByteHours: total('byte hours', 'of its persistent volumes'),
  pvCost: cost('the cost of its persistent volumes'),
  pvCostAdjustment: cost('adjustment of `pv_cost` by reconciliation'),
  ramByteHours: total('byte hours', 'memory that it was charged for: the greater of usage and request'),
  ramByteRequestAverage: average('bytes', 'memory that it requested, on average'),
  ramByteUsageAverage: average('bytes', 'memory that it used, on average'),
  ramByteLimitAverage: average('bytes', 'its memory limit, on average; 0 without a limit'),
  ramCost: cost('the cost of its memory'),
  ramCostAdjustment: cost('adjustment of `ram_cost` by reconciliation'),
  sharedCost: cost('shared costs that its cluster assigned to it when it wrote the file'),
  externalCost: cost('costs from outside of the cluster that its cluster assigned to it'),
} satisfies Record<StoredMeasure, MeasureFacts> as Readonly<Record<StoredMeasure, MeasureFacts>>;

/** The names of all stored measures. Idle costs are not among them: they are computed. */
export const storedMeasures = Object.keys(measureFacts) as readonly StoredMeasure[];

/** An unrounded sum or average over the allocations of a row: a stored measure, or the idle cost of a resource. */
export type Measure = StoredMeasure | `${Resource}CostIdle`;

/**
 * All measures: the stored ones and the idle costs. The idle cost of a resource directly follows the adjustment of the
 * resource's cost.
 */
export const measures: readonly Measure[] = storedMeasures.flatMap((measure): Measure[] => {
  const resource = resources.find((one) => measure === `${one}CostAdjustment`);
  return resource === undefined ? [measure] : [measure, `${resource}CostIdle`];
});
