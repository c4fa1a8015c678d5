import { tearDown } from './test-run';

/** Called by jest after the last test file. */
const globalTeardown = async (): Promise<void> => {
  if (globalThis.federationTestRun) await tearDown(globalThis.federationTestRun);
};

export = globalTeardown;
