import ms from 'ms';

/**
 * Converts a duration with exactly one unit (such as `2s`, `5m`, `49h` or `91d`) to milliseconds. Returns undefined for
 * any other text.
 */
export function parseDuration(text: string): number | undefined {
  // The package `ms` also accepts numbers without a unit. They are rejected here, because the unit would be a guess.
  return /^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text) ? ms(text as ms.StringValue) : undefined;
}

/**
 * Formats a duration in milliseconds in the form that settings use, in the largest unit that gives a whole number:
 * `90m`, `49h`.
 */
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
