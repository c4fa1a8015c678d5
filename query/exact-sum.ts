/*
 * Sums of doubles that are identical to the last bit whatever the order and the number of threads: two servers of one
 * generation must give the same answer. Each value is split into a multiple of a coarse power of two and a remainder that
 * is rounded to a fine one. Sums of either fit into the 53 bits of a double and are therefore exact.
 * (Demmel and Nguyen, "Fast Reproducible Floating-Point Summation", 2013.)
 */

/** Most values per sum, as a power of two. Sums of more are as accurate, but may depend on the order. */
const mostValues = 26;

/**
 * SQL for a reproducible sum.
 *
 * @param value the expression to add up; its values may be such sums themselves
 * @param most upper bound of the absolute values
 */
export function exactSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  if (rounders === undefined) return `sum(${value})`;
  const multiple = rounded(value, rounders.coarse);
  return `(sum(${multiple}) + sum(${rounded(`(${value} - ${multiple})`, rounders.fine)}))`;
}

/** The same with a precision of about a millionth of the largest value: enough for a mean of shares, in half the time. */
export function roughSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  return rounders === undefined ? `sum(${value})` : `sum(${rounded(value, rounders.coarse)})`;
}

/** The same for few values without a known bound: they are sorted first, which takes more time and memory. */
export function sortedSum(value: string): string {
  return `list_sum(list_sort(list(${value})))`;
}

/** Undefined if all values are 0, or if a double has no such powers of two at this magnitude. */
function roundersOf(most: number): { readonly coarse: string; readonly fine: string } | undefined {
  const exponent = Math.ceil(Math.log2(most)) + 1;
  if (!(Math.abs(exponent) < 900)) return undefined;
  return { coarse: rounder(exponent + mostValues + 1), fine: rounder(exponent) };
}

/** The argument with which `rounded` rounds a smaller number to a multiple of 2^(exponent - 52). */
function rounder(exponent: number): string {
  return (1.5 * 2 ** exponent).toExponential();
}

/** Adding and subtracting a much larger number drops the low bits. */
function rounded(value: string, by: string): string {
  return `((${value} + ${by}) - ${by})`;
}
