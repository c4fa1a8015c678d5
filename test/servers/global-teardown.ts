import { tearDown } from './test-run';

/** Jest calls this after the last test file. */
const globalTeardown = async (): Promise<void> => {
  if (globalThis.federationTestRun) await tearDown(globalThis.federationTestRun);
};

export = globalTeardown;
