import ms from 'ms';

/**
 * Converts a duration with one unit (`2s`, `5m`, `30m`, `49h`, `91d`) to milliseconds. Returns undefined for any other
 * text.
 */
export function parseDuration(text: string): number | undefined {
  // Stricter than the package `ms`, which also accepts words and numbers without a unit: without a unit, a duration is
  // easily wrong by a factor of 60.
  return /^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text) ? ms(text as ms.StringValue) : undefined;
}

/** Formats a duration the way settings are written, in the largest unit that gives a whole number: `90m`, `49h`. */
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
