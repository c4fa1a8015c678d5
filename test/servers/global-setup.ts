import { findChromium } from './chromium';
import { setUp, type TestRun } from './test-run';

declare global {
  /** Stored by the global setup for the global teardown. */
  var federationTestRun: TestRun | undefined;
}

/** Jest calls this before the first test file. */
const globalSetup = async (): Promise<void> => {
  // Look for Chromium here, as it may have to be installed: that must happen once, not in two test processes at the
  // same time.
  findChromium();
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
