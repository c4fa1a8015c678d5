/**
 * Environment variables with which `test-run.ts` passes the paths of programs to the test files. It sets them before
 * the first test file runs. A variable whose name ends in `_MISSING` contains the reason why that program is missing.
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
  promtool: 'FED_TEST_PROMTOOL',
  promtoolMissing: 'FED_TEST_PROMTOOL_MISSING',
  /** URL at which test files request the shared servers. */
  sharedServers: 'FED_TEST_SHARED_SERVERS',
} as const;

/** Returns the path of the Temporal CLI. If it is missing, throws an error that says why. */
export function temporalCliPath(): string {
  return required(variables.temporalCli, variables.temporalMissing);
}

/** Returns the path of the S3 server. If it is missing, throws an error that says why. */
export function versitygwPath(): string {
  return required(variables.versitygw, variables.versitygwMissing);
}

/** Returns the path of the GCS server. If it is missing, throws an error that says why. */
export function fakeGcsPath(): string {
  return required(variables.fakeGcs, variables.fakeGcsMissing);
}

/** Returns the path of Helm. If it is missing, throws an error that says why. */
export function helmPath(): string {
  return required(variables.helm, variables.helmMissing);
}

/** Returns the path of promtool. If promtool is missing, throws an error that says why. */
export function promtoolPath(): string {
  return required(variables.promtool, variables.promtoolMissing);
}

/** Returns the reason why a program is missing, or undefined if it is available. */
export function missing(
  variable: 'temporalMissing' | 'versitygwMissing' | 'fakeGcsMissing' | 'helmMissing' | 'promtoolMissing',
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
