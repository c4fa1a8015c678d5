/** The largest absolute value of each column, by column name. A column without an entry is 0 in every row. */
export type Peaks = ReadonlyMap<string, number>;

export function peakOf(peaks: Peaks, name: string): number {
  return peaks.get(name) ?? 0;
}

/** Raises the peak (largest absolute value) of a column if one of `values` has a larger absolute value. */
export function notePeak(peaks: Map<string, number>, name: string, values: Iterable<number>): void {
  let most = peaks.get(name) ?? 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most) most = size;
  }
  if (most > 0) peaks.set(name, most);
}

/** Combines the peaks of several files. The result has the largest value of each column. */
export function joinPeaks(all: Iterable<Peaks>): Map<string, number> {
  const joined = new Map<string, number>();
  for (const peaks of all) for (const [name, most] of peaks) notePeak(joined, name, [most]);
  return joined;
}
