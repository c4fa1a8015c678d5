import path from 'node:path';

/** Takes the variables of such names away for each test of the file or suite. Everything is given back after it. */
export function clearEnvironment(names: RegExp): void {
  const before = { ...process.env };
  beforeEach(() => {
    for (const name of Object.keys(process.env).filter((name) => names.test(name))) delete process.env[name];
  });
  afterEach(() => {
    process.env = { ...before };
  });
}

/** The same for all that the program's settings and Temporal's client could take from this machine. */
export function clearSettings(): void {
  clearEnvironment(/^(TEMPORAL_|FEDERATED_|ETL_|CLUSTER_ID)/);
  beforeEach(() => {
    process.env.TEMPORAL_CONFIG_FILE = path.join(__dirname, 'no-temporal.toml');
  });
}
