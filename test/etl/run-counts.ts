/**
 * True if the tests run in their long form, with many more cases than usual. Set the environment variable FED_TEST_LONG
 * to 1 for the long form.
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
