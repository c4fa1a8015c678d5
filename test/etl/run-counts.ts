/**
 * How often tests of generated data run. `FED_TEST_LONG=1` asks for the full counts; nothing else in the tests
 * reads it. Seeds are fixed, so that a failure comes again.
 */
const long = process.env.FED_TEST_LONG === '1';

/** One of two: the short run's or the long run's. */
export function runs<T>(short: T, full: T): T {
  return long ? full : short;
}

/** Options for `fc.assert`. */
export function propertyRuns(short: number, full: number): { numRuns: number; seed: number } {
  return { numRuns: runs(short, full), seed: 20261114 };
}
