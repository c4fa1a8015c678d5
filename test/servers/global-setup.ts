import { findChromium } from './chromium';
import { setUp, type TestRun } from './test-run';

declare global {
  /** Set by the global setup, for the global teardown. */
  var federationTestRun: TestRun | undefined;
}

/** What jest calls before the first test file. */
const globalSetup = async (): Promise<void> => {
  // Where it has to be installed, that is done once, before test files in two processes look for it.
  findChromium();
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
