import type { AllocationRow } from './answer';
import { type StoredMeasure, storedMeasures } from './schema';
import type { Span } from './span';

/** A row of an answer while it is built, with the keys of its details. */
export interface FoundRow extends AllocationRow {
  /** Index of the set that it belongs to. */
  period: number;
  /** Name number and step, if the row is one container in one step: nothing was merged then. */
  single?: { readonly name: number; readonly step: number };
  /** Content hash of one of its identities; undefined for idle. */
  sample?: string;
}

const noMeasures = Object.fromEntries(storedMeasures.map((measure) => [measure, 0])) as Record<
  StoredMeasure,
  number
>;

/** A row without cost, for idle to fill. */
export function emptyRow(name: string, window: Span): Omit<FoundRow, 'period'> {
  return {
    ...noMeasures,
    cpuCostIdle: 0,
    gpuCostIdle: 0,
    ramCostIdle: 0,
    name,
    properties: {},
    window,
    ...window,
    pvs: null,
    lbAllocations: null,
    gpuAllocation: null,
    rawAllocationOnly: null,
  };
}
