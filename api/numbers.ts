/** A number as JSON, rounded half away from zero to so many decimals; null where it is none. */
export function rounded(value: number, decimals: number): string {
  // Most are; and zero has no sign.
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return 'null';
  const scale = 10 ** decimals;
  const scaled = Math.abs(value) * scale;
  // Beyond it a number has no such decimals, and rounding would make others of it.
  if (scaled > Number.MAX_SAFE_INTEGER) return String(value);
  return String((Math.sign(value) * Math.round(scaled)) / scale);
}
