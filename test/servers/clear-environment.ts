import path from 'node:path';

/**
 * Removes the environment variables with matching names before each test of the file or suite, and restores them
 * afterwards.
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

/** Same as `clearEnvironment`, for all variables that the settings or Temporal's client could read. */
export function clearSettings(): void {
  clearEnvironment(/^(TEMPORAL_|FEDERATED_|ETL_|CLUSTER_ID)/);
  beforeEach(() => {
    process.env.TEMPORAL_CONFIG_FILE = path.join(__dirname, 'no-temporal.toml');
  });
}
