/*
 * The resource hours of records. They depend only on what ran, and for how long. Costs, in contrast, also change when a
 * cluster's prices are reconciled.
 */

/** The kinds of resource hours. `diskByteHours` covers the volumes of allocations, and the assets of type Disk. */
export const hourKinds = ['cpuCoreHours', 'ramByteHours', 'gpuHours', 'diskByteHours'] as const;
export type HourKind = (typeof hourKinds)[number];

/** Resource hours by kind. A kind that a pipeline's records do not have is 0. */
export type Hours = Readonly<Record<HourKind, number>>;

/** The amount of data in a cluster's file, without costs. */
export interface Measure {
  /** Number of records. Keys without a record do not count. */
  records: number;
  /** The sums of the records' resource hours. */
  hours: Hours;
}

/**
 * Sums of resource hours, in the order of `hourKinds`. The result depends on the order of the additions, so numbers are
 * always added in file order.
 */
export class HourSums {
  private readonly sums = new Float64Array(hourKinds.length);

  /** Adds hours of the kind with the given index. NaN and infinite values do not count. */
  add(kind: number, value: number): void {
    // `value - value` is 0 only for finite values.
    if (value - value === 0) this.sums[kind]! += value;
  }

  reset(): void {
    this.sums.fill(0);
  }

  /** Returns the sums. They are finite, so that they can be stored as JSON. */
  get hours(): Hours {
    const sums = hourKinds.map((kind, index) => [kind, finite(this.sums[index]!)]);
    return Object.fromEntries(sums) as Record<HourKind, number>;
  }
}

function finite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)) + 0;
}
