import type { RecordOf } from '../etl/model';
import { type NotFinite, NotFiniteCounts } from '../etl/not-finite';
import type { Pipeline } from '../etl/window';

/** Returns the number, or 0 if it is NaN or infinite. `field` is the name to report it under. */
export type Finite = (value: number, field: string) => number;

/**
 * Replaces NaN and infinity by 0 and counts the replaced numbers. A sum that includes a NaN is NaN, so one broken
 * number would spoil the cost of a whole cluster.
 */
export class FiniteNumbers<P extends Pipeline> {
  private readonly counts: NotFiniteCounts<P>;

  constructor(pipeline: P) {
    this.counts = new NotFiniteCounts(pipeline);
  }

  /** Returns the function that checks the numbers of a record. */
  of(record: RecordOf[P]): Finite {
    return (value, field) => {
      if (Number.isFinite(value)) return value;
      this.counts.add(record, field);
      return 0;
    };
  }

  get found(): NotFinite[] {
    return this.counts.found;
  }
}
