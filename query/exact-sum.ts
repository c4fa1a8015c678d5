/*
 * Sums of doubles that are the same to the last bit in whatever order and by however many threads they are added up: two
 * servers of one generation must give one answer. Each value is cut into a multiple of a coarse power of two and what is
 * left, rounded to a fine one. Sums of either never need more than the 53 bits of a double, so that they are exact.
 * (Demmel and Nguyen, "Fast Reproducible Floating-Point Summation", 2013.)
 */

/** As a power of two: how many values a sum may have. Of more it is as right, but may depend on their order. */
const mostValues = 26;

/**
 * A sum, as an SQL expression.
 *
 * @param value the expression that is added up; a value of it may also be such a sum
 * @param most no value is larger than this, whatever its sign
 */
export function exactSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  if (rounders === undefined) return `sum(${value})`;
  const multiple = rounded(value, rounders.coarse);
  return `(sum(${multiple}) + sum(${rounded(`(${value} - ${multiple})`, rounders.fine)}))`;
}

/** The same, exact to some millionth of the largest value: enough for a mean of shares, in half of the time. */
export function roughSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  return rounders === undefined ? `sum(${value})` : `sum(${rounded(value, rounders.coarse)})`;
}

/** The same of few values whose bound nobody knows: they are sorted first, which takes more time and memory. */
export function sortedSum(value: string): string {
  return `list_sum(list_sort(list(${value})))`;
}

/** Undefined for zeros alone, and for numbers above or below which there is no room for such powers of two. */
function roundersOf(most: number): { readonly coarse: string; readonly fine: string } | undefined {
  const exponent = Math.ceil(Math.log2(most)) + 1;
  if (!(Math.abs(exponent) < 900)) return undefined;
  return { coarse: rounder(exponent + mostValues + 1), fine: rounder(exponent) };
}

/** What `rounded` takes to round a smaller number to a multiple of 2^(exponent - 52). */
function rounder(exponent: number): string {
  return (1.5 * 2 ** exponent).toExponential();
}

/** Added and taken away again, what is much larger leaves only the bits that both have. */
function rounded(value: string, by: string): string {
  return `((${value} + ${by}) - ${by})`;
}
