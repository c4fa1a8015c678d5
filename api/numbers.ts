/**
 * Encodes a number as JSON, rounded to the given number of decimals, half away from zero. NaN and infinity become null.
 */
export function rounded(value: number, decimals: number): string {
  // Most numbers are integers, which need no rounding. `String` also turns -0 into 0.
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return 'null';
  const scale = 10 ** decimals;
  const scaled = Math.abs(value) * scale;
  // A double this large cannot represent `decimals` decimal places, so rounding could only make it less accurate.
  if (scaled > Number.MAX_SAFE_INTEGER) return String(value);
  return String((Math.sign(value) * Math.round(scaled)) / scale);
}
