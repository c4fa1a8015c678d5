import { findChromium } from './chromium';
import { setUp, type TestRun } from './test-run';

declare global {
  /** What the global setup has started. The global teardown stops it. */
  var federationTestRun: TestRun | undefined;
}

/** Jest calls this before the first test file. */
const globalSetup = async (): Promise<void> => {
  // Look for Chromium here, once per run: it may have to be installed, and two test processes must not do so at the
  // same time.
  findChromium();
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
