import ms from 'ms';

/** Milliseconds of a duration with one unit: `2s`, `5m`, `30m`, `49h`, `91d`. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  // `ms` also accepts bare numbers and words, but a duration without a unit is easily wrong by a factor of 60.
  return /^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text) ? ms(text as ms.StringValue) : undefined;
}

/** A duration as written in settings, in the largest unit that gives a whole number: `90m`, `49h`. */
export function formatDuration(milliseconds: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const unit = units.find(([, length]) => milliseconds >= length && milliseconds % length === 0);
  return unit === undefined ? `${milliseconds}ms` : `${milliseconds / unit[1]}${unit[0]}`;
}
