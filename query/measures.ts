import type { NumberName } from '../etl/field';
import type { Allocation, PVAllocation } from '../etl/model';
import { type Resource, resources } from './idle';

/*
 * Measures: the numeric fields of allocations in query results. They are derived from the fields of the ETL format. The
 * database tables, the queries, the export and the API use the entries below. If a new version of the format adds a
 * numeric field, this file does not compile until the field has an entry.
 */

/**
 * Numeric fields of an allocation that have a different name in the database. The name `not stored` means that the
 * database does not have the field.
 */
export const storedAs = {
  // Only format version 22 has these two fields. Later versions have the same averages in `gpuAllocation`.
  deprecatedGpuRequestAverage: 'gpuRequestAverage',
  deprecatedGpuUsageAverage: 'gpuUsageAverage',
  // Kubecost's API has the singular `Byte` in these names.
  ramBytesRequestAverage: 'ramByteRequestAverage',
  ramBytesUsageAverage: 'ramByteUsageAverage',
  ramBytesLimitAverage: 'ramByteLimitAverage',
} as const satisfies Partial<Record<NumberName<Allocation>, string>>;

type StoredName<Name extends NumberName<Allocation>> = Name extends keyof typeof storedAs
  ? (typeof storedAs)[Name]
  : Name;

/**
 * Name of a number that is stored for each allocation: a field of the allocation, or the sum of a field over its
 * volumes.
 */
export type StoredMeasure =
  Exclude<StoredName<NumberName<Allocation>>, 'not stored'> | `pv${Capitalize<NumberName<PVAllocation>>}`;

/** Properties of a measure: how it is merged, and its documentation. */
interface MeasureFacts {
  /** How the values of several allocations are merged: added up, or averaged with their durations as weights. */
  readonly merging: 'sum' | 'average';
  readonly unit: string;
  /** Description of the measure in the documentation of the export. */
  readonly meaning: string;
}

/** The unit of costs. Costs are in the currency of the clusters. */
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

/** All stored measures, in the order of the tables and the export. Costs do not include their adjustments. */
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

/** The names of all stored measures. Idle costs are not included, because they are computed when a query runs. */
export const storedMeasures = Object.keys(measureFacts) as readonly StoredMeasure[];

/**
 * Name of a number in a row of a query result: a stored measure, or the idle cost of a resource. The number is a sum or
 * an average over the allocations of the row, and is not rounded.
 */
export type Measure = StoredMeasure | `${Resource}CostIdle`;

/**
 * The names of all measures. The idle cost of a resource comes directly after the adjustment of the resource's cost.
 */
export const measures: readonly Measure[] = storedMeasures.flatMap((measure): Measure[] => {
  const resource = resources.find((one) => measure === `${one}CostAdjustment`);
  return resource === undefined ? [measure] : [measure, `${resource}CostIdle`];
});
