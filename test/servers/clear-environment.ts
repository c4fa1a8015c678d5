import path from 'node:path';

/**
 * Removes all environment variables whose names match `names`, before each test of the file or suite. Restores them
 * after the test.
 */
export function clearEnvironment(names: RegExp): void {
  const before = { ...process.env };
  beforeEach(() => {
    for (const name of Object.keys(process.env).filter((name) => names.test(name))) delete process.env[name];
  });
  afterEach(() => {
    process.env = { ...before };
  });
}

/** Does the same as `clearEnvironment`, for all variables that the settings or Temporal's client might read. */
export function clearSettings(): void {
  clearEnvironment(/^(TEMPORAL_|FEDERATED_|ETL_|CLUSTER_ID)/);
  beforeEach(() => {
    process.env.TEMPORAL_CONFIG_FILE = path.join(__dirname, 'no-temporal.toml');
  });
}
