/**
 * Environment variables that pass the findings of `test-run.ts` to the test files. They are set before the first test
 * file runs. A variable whose name ends in `_MISSING` contains the reason why its server is missing.
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
  /** Address at which test files request the shared servers. */
  sharedServers: 'FED_TEST_SHARED_SERVERS',
} as const;

/** Path of the Temporal CLI for this test run. */
export function temporalCliPath(): string {
  return required(variables.temporalCli, variables.temporalMissing);
}

/** Path of the S3 server for this test run. */
export function versitygwPath(): string {
  return required(variables.versitygw, variables.versitygwMissing);
}

/** Path of the GCS server for this test run. */
export function fakeGcsPath(): string {
  return required(variables.fakeGcs, variables.fakeGcsMissing);
}

/** Path of Helm for this test run. */
export function helmPath(): string {
  return required(variables.helm, variables.helmMissing);
}

/** Returns the reason why a server is missing, or undefined if it is available. */
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
