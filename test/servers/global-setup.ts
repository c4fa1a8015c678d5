import { findChromium } from './chromium';
import { setUp, type TestRun } from './test-run';

declare global {
  /** Everything that the global setup has started. The global teardown stops it. */
  var federationTestRun: TestRun | undefined;
}

/** Jest calls this before the first test file. */
const globalSetup = async (): Promise<void> => {
  // Look for Chromium once per run, before the test files do. This may install it, and two test processes must not
  // install it at the same time.
  findChromium();
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
