/**
 * How `test-run.ts` tells the test files what it found. It sets these variables before the first test file runs;
 * nothing else does. A variable ending in `_MISSING` holds the reason why its server cannot be had.
 */
export const variables = {
  temporalCli: 'FED_TEST_TEMPORAL_CLI',
  temporalMissing: 'FED_TEST_TEMPORAL_MISSING',
  versitygw: 'FED_TEST_VERSITYGW',
  versitygwMissing: 'FED_TEST_VERSITYGW_MISSING',
  fakeGcs: 'FED_TEST_FAKE_GCS',
  fakeGcsMissing: 'FED_TEST_FAKE_GCS_MISSING',
  helm: 'FED_TEST_HELM',
  helmMissing: 'FED_TEST_HELM_MISSING',
  /** Where a test file asks for a server that all of them share. */
  sharedServers: 'FED_TEST_SHARED_SERVERS',
} as const;

/** The Temporal CLI that this test run uses. */
export function temporalCliPath(): string {
  return required(variables.temporalCli, variables.temporalMissing);
}

/** The S3 server that this test run uses. */
export function versitygwPath(): string {
  return required(variables.versitygw, variables.versitygwMissing);
}

/** The GCS server that this test run uses. */
export function fakeGcsPath(): string {
  return required(variables.fakeGcs, variables.fakeGcsMissing);
}

/** The Helm that this test run uses. */
export function helmPath(): string {
  return required(variables.helm, variables.helmMissing);
}

/** Why a server cannot be had, if it cannot. */
export function missing(
  variable: 'temporalMissing' | 'versitygwMissing' | 'fakeGcsMissing' | 'helmMissing',
): string | undefined {
  return process.env[variables[variable]] || undefined;
}

function required(variable: string, reason: string): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(
    process.env[reason] ?? `${variable} is not set: run the tests by jest with its global setup`,
  );
}
