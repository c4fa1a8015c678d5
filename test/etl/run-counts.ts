/**
 * Numbers of runs of property tests. `FED_TEST_LONG=1` selects the full numbers. No other code of the tests reads this
 * variable. Seeds are fixed, so that failures are reproducible.
 */
const long = process.env.FED_TEST_LONG === '1';

/** Returns the first value in a short run, the second one in a long run. */
export function runs<T>(short: T, full: T): T {
  return long ? full : short;
}

/** Options for `fc.assert`. */
export function propertyRuns(short: number, full: number): { numRuns: number; seed: number } {
  return { numRuns: runs(short, full), seed: 20261114 };
}
