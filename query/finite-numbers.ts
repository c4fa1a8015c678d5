import type { RecordOf } from '../etl/model';
import { type NotFinite, NotFiniteCounts } from '../etl/not-finite';
import type { Pipeline } from '../etl/window';

/** Returns the number, or 0 if it is NaN or infinite. Such numbers are reported under the name `field`. */
export type Finite = (value: number, field: string) => number;

/**
 * Replaces NaN and infinity by 0 and counts the replaced numbers. A sum that includes NaN is NaN itself, so one broken
 * number would make the cost of a whole cluster unknown.
 */
export class FiniteNumbers<P extends Pipeline> {
  private readonly counts: NotFiniteCounts<P>;

  constructor(pipeline: P) {
    this.counts = new NotFiniteCounts(pipeline);
  }

  /** Returns a function that replaces and counts the NaN and infinite numbers of a record. */
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
