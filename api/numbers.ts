/** A number as JSON, rounded half away from zero to the given decimals; null for NaN and infinity. */
export function rounded(value: number, decimals: number): string {
  // The usual case; this also turns -0 into 0.
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return 'null';
  const scale = 10 ** decimals;
  const scaled = Math.abs(value) * scale;
  // Larger doubles have no such decimals, and rounding would distort them.
  if (scaled > Number.MAX_SAFE_INTEGER) return String(value);
  return String((Math.sign(value) * Math.round(scaled)) / scale);
}
