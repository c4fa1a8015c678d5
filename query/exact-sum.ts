/*
 * Sums of doubles that are identical to the last bit, whatever the order and the number of threads: two servers of the
 * same generation must give the same answer. Each value is split into a multiple of a coarse power of two and a
 * remainder, which is rounded to a multiple of a fine one. The sum of the multiples and the sum of the remainders each
 * fit into the 53 bits of a double, so both are exact.
 * (Demmel and Nguyen, "Fast Reproducible Floating-Point Summation", 2013.)
 */

/**
 * Binary logarithm of the largest number of values per sum. Sums of more values are as accurate, but may depend on the
 * order.
 */
const mostValues = 26;

/**
 * Returns SQL for a reproducible sum.
 *
 * @param value the expression to add up; it may itself be such a sum
 * @param most upper bound of the absolute values
 */
export function exactSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  if (rounders === undefined) return `sum(${value})`;
  const multiple = rounded(value, rounders.coarse);
  return `(sum(${multiple}) + sum(${rounded(`(${value} - ${multiple})`, rounders.fine)}))`;
}

/**
 * Like `exactSum`, with a precision of about a millionth of the largest value. This suffices for a mean of shares, and
 * takes half the time.
 */
export function roughSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  return rounders === undefined ? `sum(${value})` : `sum(${rounded(value, rounders.coarse)})`;
}

/** Like `exactSum`, for few values without a known bound: sorts them first, which takes more time and memory. */
export function sortedSum(value: string): string {
  return `list_sum(list_sort(list(${value})))`;
}

/**
 * Returns the numbers to round with, as SQL. Undefined if all values are 0, or if their magnitude is so extreme that a
 * double cannot hold these numbers.
 */
function roundersOf(most: number): { readonly coarse: string; readonly fine: string } | undefined {
  const exponent = Math.ceil(Math.log2(most)) + 1;
  if (!(Math.abs(exponent) < 900)) return undefined;
  return { coarse: rounder(exponent + mostValues + 1), fine: rounder(exponent) };
}

/** Returns the number that makes `rounded` round a smaller value to a multiple of 2^(exponent - 52). */
function rounder(exponent: number): string {
  return (1.5 * 2 ** exponent).toExponential();
}

/** Returns SQL that rounds a value: adding and subtracting a much larger number drops the low bits. */
function rounded(value: string, by: string): string {
  return `((${value} + ${by}) - ${by})`;
}
