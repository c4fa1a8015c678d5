/** The largest absolute value of each column. A column without an entry is 0 in every row. */
export type Peaks = ReadonlyMap<string, number>;

export function peakOf(peaks: Peaks, name: string): number {
  return peaks.get(name) ?? 0;
}

/** Raises the peak of a column to the largest absolute value among `values`, if that is larger. */
export function notePeak(peaks: Map<string, number>, name: string, values: Iterable<number>): void {
  let most = peaks.get(name) ?? 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most) most = size;
  }
  if (most > 0) peaks.set(name, most);
}

/** Combines peaks: the result has the largest value of each column. */
export function joinPeaks(all: Iterable<Peaks>): Map<string, number> {
  const joined = new Map<string, number>();
  for (const peaks of all) for (const [name, most] of peaks) notePeak(joined, name, [most]);
  return joined;
}
