import type { AllocationRow } from './answer';
import { rowCost } from './cost';
import { type Measure, measures } from './measures';

/** Values that are computed from the other values of a row. */
export interface Derived {
  readonly minutes: number;
  readonly cpuCores: number;
  readonly gpuCount: number;
  readonly ramBytes: number;
  readonly pvBytes: number;
  readonly cpuEfficiency: number;
  readonly gpuEfficiency: number;
  readonly ramEfficiency: number;
  readonly totalEfficiency: number;
  readonly totalCost: number;
}

const names = [
  'minutes',
  'cpuCores',
  'gpuCount',
  'ramBytes',
  'pvBytes',
  'cpuEfficiency',
  'gpuEfficiency',
  'ramEfficiency',
  'totalEfficiency',
  'totalCost',
] as const satisfies readonly (keyof Derived)[];
/** Names of the values in `Derived`. */
export const derivedNames: ReadonlySet<string> = new Set(names);

/** The fields by which rows can be sorted: the name, and every number in a row. */
export type SortField = Measure | keyof Derived | 'name';
export const sortFields: readonly SortField[] = ['name', ...measures, ...names];

/**
 * Computes the derived values of a row. An efficiency is the usage divided by the request, so it is 1 if the usage is
 * as high as the request. If nothing was requested, the efficiency is 1 if there was both usage and cost, and 0
 * otherwise.
 */
export function derive(row: AllocationRow): Derived {
  const minutes = (row.end - row.start) / 60;
  const perHour = (amount: number) => (minutes <= 0 ? 0 : amount / (minutes / 60));
  const cpuTotal = row.cpuCost + row.cpuCostAdjustment;
  const ramTotal = row.ramCost + row.ramCostAdjustment;
  const gpuTotal = row.gpuCost + row.gpuCostAdjustment;
  const cpuEfficiency = efficiency(row.cpuCoreUsageAverage, row.cpuCoreRequestAverage, cpuTotal);
  const ramEfficiency = efficiency(row.ramByteUsageAverage, row.ramByteRequestAverage, ramTotal);
  const used = row.gpuUsageAverage > 0 && row.gpuRequestAverage > 0;
  const paid = cpuTotal + ramTotal;
  return {
    minutes,
    cpuCores: perHour(row.cpuCoreHours),
    gpuCount: perHour(row.gpuHours),
    ramBytes: perHour(row.ramByteHours),
    pvBytes: perHour(row.pvByteHours),
    cpuEfficiency,
    gpuEfficiency: used
      ? row.gpuUsageAverage / row.gpuRequestAverage
      : row.gpuUsageAverage === 0 || gpuTotal === 0
        ? 0
        : 1,
    ramEfficiency,
    totalEfficiency: paid > 0 ? (cpuEfficiency * cpuTotal + ramEfficiency * ramTotal) / paid : 0,
    totalCost: rowCost(row),
  };
}

function efficiency(usage: number, request: number, cost: number): number {
  if (request > 0) return usage / request;
  return usage === 0 || cost === 0 ? 0 : 1;
}
