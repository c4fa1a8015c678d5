import type { AllocationRow } from './answer';
import { type Measure, measures } from './measures';
import type { Span } from './span';

/** A row of an answer while it is being built, with the keys that are needed to read its details. */
export interface FoundRow extends AllocationRow {
  /** Index of the set that the row belongs to. */
  period: number;
  /**
   * The numbers of the row's name and step. Present only if the row is a single container in a single step, so that
   * nothing was merged.
   */
  single?: { readonly name: number; readonly step: number };
  /** Content hash of one of the row's identities. Undefined for idle rows, which have none. */
  sample?: string;
}

const noMeasures = Object.fromEntries(measures.map((measure) => [measure, 0])) as Record<Measure, number>;

/** Creates a row without cost, to which idle cost can be added. */
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
