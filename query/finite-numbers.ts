import type { RecordOf } from '../etl/model';
import { type NotFinite, NotFiniteCounts } from '../etl/not-finite';
import type { Pipeline } from '../etl/window';

/** The number, or 0 if it is NaN or infinite. `field` is the name it is reported under. */
export type Finite = (value: number, field: string) => number;

/**
 * Replaces NaN and infinity by 0 and counts them: the sum of a NaN is NaN, so one broken number would spoil the cost of a
 * whole cluster.
 */
export class FiniteNumbers<P extends Pipeline> {
  private readonly counts: NotFiniteCounts<P>;

  constructor(pipeline: P) {
    this.counts = new NotFiniteCounts(pipeline);
  }

  /** For the numbers of a record. */
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
