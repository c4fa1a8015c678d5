/**
 * True in the long run (`FED_TEST_LONG=1`), in which property tests try far more cases. Tests read the variable only
 * here. Seeds are fixed, so that failures are reproducible.
 */
const long = process.env.FED_TEST_LONG === '1';

/** Returns `short` in the short run and `full` in the long run. */
export function runs<T>(short: T, full: T): T {
  return long ? full : short;
}

/** Returns options for `fc.assert`. */
export function propertyRuns(short: number, full: number): { numRuns: number; seed: number } {
  return { numRuns: runs(short, full), seed: 20261114 };
}
