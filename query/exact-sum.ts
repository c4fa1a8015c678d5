/*
 * Sums of doubles that are identical to the last bit, regardless of the order of the values and the number of threads:
 * two servers of the same generation must give the same answer. Each value is split into a multiple of a coarse power
 * of two and a remainder. The remainder is rounded to a multiple of a fine power of two. The sum of the multiples and
 * the sum of the rounded remainders each fit into the 53 bits of a double, so both are exact. (Demmel and Nguyen, "Fast
 * Reproducible Floating-Point Summation", 2013.)
 */

/**
 * Binary logarithm of the number of values up to which a sum is reproducible. Sums of more values are as accurate, but
 * may depend on the order of the values.
 */
const mostValues = 26;

/**
 * Returns SQL for a reproducible sum.
 *
 * @param value the expression to add up; it may itself be such a sum
 * @param most upper bound on the absolute values
 */
export function exactSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  if (rounders === undefined) return `sum(${value})`;
  const multiple = rounded(value, rounders.coarse);
  return `(sum(${multiple}) + sum(${rounded(`(${value} - ${multiple})`, rounders.fine)}))`;
}

/**
 * Like `exactSum`, but in half the time and only to about a millionth of the largest value. This suffices for a mean of
 * shares.
 */
export function roughSum(value: string, most: number): string {
  const rounders = roundersOf(most);
  return rounders === undefined ? `sum(${value})` : `sum(${rounded(value, rounders.coarse)})`;
}

/**
 * Like `exactSum`, but for a few values without a known bound. Sorts them before adding them up, which takes more time
 * and memory.
 */
export function sortedSum(value: string): string {
  return `list_sum(list_sort(list(${value})))`;
}

/**
 * Returns the numbers that `rounded` needs for the two parts of a value, as SQL. Returns undefined if all values are 0,
 * or if the bound on them is so large or so small that a double cannot hold these numbers.
 */
function roundersOf(most: number): { readonly coarse: string; readonly fine: string } | undefined {
  const exponent = Math.ceil(Math.log2(most)) + 1;
  if (!(Math.abs(exponent) < 900)) return undefined;
  return { coarse: rounder(exponent + mostValues + 1), fine: rounder(exponent) };
}

/**
 * Returns the number to pass to `rounded` as `by`, so that it rounds smaller values to multiples of 2^(exponent - 52).
 */
function rounder(exponent: number): string {
  return (1.5 * 2 ** exponent).toExponential();
}

/**
 * Returns SQL that rounds a value by adding and subtracting a much larger number: this drops the low bits of the value.
 */
function rounded(value: string, by: string): string {
  return `((${value} + ${by}) - ${by})`;
}
