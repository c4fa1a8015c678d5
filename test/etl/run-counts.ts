/**
 * Whether the tests run in their long form, with far more cases than usual. The environment variable FED_TEST_LONG turns
 * this on.
 */
export const long = process.env.FED_TEST_LONG === '1';

/** Returns `full` if FED_TEST_LONG is 1, otherwise `short`. */
export function runs<T>(short: T, full: T): T {
  return long ? full : short;
}

/** Returns options for `fc.assert`: the number of cases, and a fixed seed that makes failures reproducible. */
export function propertyRuns(short: number, full: number): { numRuns: number; seed: number } {
  return { numRuns: runs(short, full), seed: 20261114 };
}
