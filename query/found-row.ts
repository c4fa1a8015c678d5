import type { AllocationRow } from './answer';
import { type Measure, measures } from './measures';
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

const noMeasures = Object.fromEntries(measures.map((measure) => [measure, 0])) as Record<Measure, number>;

/** A row without cost, for idle to fill. */
export function emptyRow(name: string, window: Span): Omit<FoundRow, 'period'> {
  return {
    ...noMeasures,
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
