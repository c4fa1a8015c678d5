import type { AllocationRow } from './answer';
import { type Measure, measures } from './measures';
import type { Span } from './span';

/**
 * A row of a query result that is still being built. It has additional fields that are needed to look up its details.
 */
export interface FoundRow extends AllocationRow {
  /** Index of the result set that contains the row. */
  period: number;
  /**
   * Present only if the row is for a single container in a single time step. `name` is the id of the container's name
   * in the database. `step` is the index of the time step.
   */
  single?: { readonly name: number; readonly step: number };
  /**
   * Content hash of the identity (names, labels and other texts) of one of the row's allocations. Undefined for rows of
   * idle cost.
   */
  sample?: string;
}

const noMeasures = Object.fromEntries(measures.map((measure) => [measure, 0])) as Record<Measure, number>;

/** Creates a row in which all costs and other measures are 0. */
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
