import { setUp, type TestRun } from './test-run';

declare global {
  /** Set by the global setup, for the global teardown. */
  var federationTestRun: TestRun | undefined;
}

/** What jest calls before the first test file. */
const globalSetup = async (): Promise<void> => {
  globalThis.federationTestRun = await setUp();
};

export = globalSetup;
