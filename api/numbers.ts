/** Encodes a number as JSON, rounded half away from zero to the given decimals. NaN and infinity become null. */
export function rounded(value: number, decimals: number): string {
  // Most numbers are integers and need no rounding. String also turns -0 into 0.
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return 'null';
  const scale = 10 ** decimals;
  const scaled = Math.abs(value) * scale;
  // A double this large has no such decimals, so rounding could only distort it.
  if (scaled > Number.MAX_SAFE_INTEGER) return String(value);
  return String((Math.sign(value) * Math.round(scaled)) / scale);
}
