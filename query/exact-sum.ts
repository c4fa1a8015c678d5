/*
 * Reproducible sums of doubles. A sum is the same to the last bit, regardless of the order of the values and the number
 * of threads. This way, two servers with the same data give the same answer.
 *
 * Each value is split into two parts: a multiple of a coarse power of two, and the remainder, rounded to a multiple of
 * a fine power of two. The first parts of all values are added up, and so are the second parts. Each of these two sums
 * fits into the 53 bits of a double, so both are exact. (Demmel and Nguyen, "Fast Reproducible Floating-Point
 * Summation", 2013.)
 */

/**
 * Binary logarithm of the maximum number of values for which sums are reproducible. Sums of more values are just as
 * accurate, but may depend on the order of the values.
 */
const mostValues = 26;

/**
 * Returns SQL for a reproducible sum of the values of an expression.
 *
 * @param value the SQL expression. If it is itself a sum, such as `a + b`, it needs no parentheses.
 * @param most upper bound on the absolute values
 */
export function exactSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  if (rounders === undefined) return `sum(${value})`;
  const multiple = rounded(value, rounders.coarse);
  return `(sum(${multiple}) + sum(${rounded(`(${value} - ${multiple})`, rounders.fine)}))`;
}

/**
 * Like `exactSum`, but twice as fast and less accurate: the error is up to a millionth of the largest value. This is
 * accurate enough for a mean of fractions from 0 to 1.
 */
export function roughSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  return rounders === undefined ? `sum(${value})` : `sum(${rounded(value, rounders.coarse)})`;
}

/**
 * Like `exactSum`, but does not need an upper bound. It sorts the values before it adds them up. This takes more time
 * and memory, so use it only for a few values.
 */
export function sortedSum(value: string): string {
  return `list_sum(list_sort(list(${value})))`;
}

/**
 * Returns the two large numbers (as SQL) that `rounded` needs to split a value into a coarse and a fine part. Returns
 * undefined if all values are 0, or if these numbers would be too large or too small for a double.
 */
function roundersOf(most: number): { readonly coarse: string; readonly fine: string } | undefined {
  const exponent = Math.ceil(Math.log2(most)) + 1;
  if (!(Math.abs(exponent) < 900)) return undefined;
  return { coarse: rounder(exponent + mostValues + 1), fine: rounder(exponent) };
}

/** Returns the argument `by` with which `rounded` rounds to multiples of 2^(`exponent` - 52). */
function rounder(exponent: number): string {
  return (1.5 * 2 ** exponent).toExponential();
}

/**
 * Returns SQL that rounds a value. It adds a much larger number to the value and subtracts it again. This drops the low
 * bits of the value.
 */
function rounded(value: string, by: string): string {
  return `((${value} + ${by}) - ${by})`;
}
