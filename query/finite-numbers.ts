import type { RecordOf } from '../etl/model';
import { type NotFinite, NotFiniteCounts } from '../etl/not-finite';
import type { Pipeline } from '../etl/window';

/**
 * Returns `value` if it is finite. If `value` is NaN or infinite, counts it under the name `field`, and returns 0
 * instead.
 */
export type Finite = (value: number, field: string) => number;

/**
 * Replaces NaN and infinity with 0, and counts the replaced numbers. Without this, a single NaN would turn the total
 * cost of a whole cluster into NaN.
 */
export class FiniteNumbers<P extends Pipeline> {
  private readonly counts: NotFiniteCounts<P>;

  constructor(pipeline: P) {
    this.counts = new NotFiniteCounts(pipeline);
  }

  /** Returns a function that replaces and counts the NaN and infinite numbers of one record. */
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
