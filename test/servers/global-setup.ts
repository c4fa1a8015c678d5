import { findChromium } from './chromium';
import { setUp, type TestRun } from './test-run';

declare global {
  /** Set by the global setup, for the global teardown. */
  var federationTestRun: TestRun | undefined;
}

/** Called by jest before the first test file. */
const globalSetup = async (): Promise<void> => {
  // If it must be installed, this happens once, before test files in two processes look for it.
  findChromium();
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
