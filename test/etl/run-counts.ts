/**
 * Number of runs of property tests. `FED_TEST_LONG=1` selects the full counts; nothing else in the tests reads it.
 * Seeds are fixed, so that failures are reproducible.
 */
const long = process.env.FED_TEST_LONG === '1';

/** The first value in a short run, the second in a long one. */
export function runs<T>(short: T, full: T): T {
  return long ? full : short;
}

/** Options for `fc.assert`. */
export function propertyRuns(short: number, full: number): { numRuns: number; seed: number } {
  return { numRuns: runs(short, full), seed: 20261114 };
}
