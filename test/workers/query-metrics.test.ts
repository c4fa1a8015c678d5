import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { registerQueryMetrics } from '../../workers/query-metrics';
import { temporaryFolder } from '../storage/temporary-folder';

test('queries, the database and its volume are measured at each scrape', async () => {
  const folder = temporaryFolder();
  const registry = new Registry();
  let load = { running: 2, waiting: 5 };
  registerQueryMetrics(registry, { load: () => load }, folder);
  writeFileSync(join(folder, 'query.duckdb'), 'x'.repeat(100));
  writeFileSync(join(folder, 'query.duckdb.wal'), 'x'.repeat(11));
  const text = await registry.metrics();
  expect(text).toContain('federated_etl_queries{state="running"} 2\n');
  expect(text).toContain('federated_etl_queries{state="waiting"} 5\n');
  expect(text).toContain('federated_etl_query_database_bytes 111\n');
  expect(text).toMatch(/federated_etl_query_volume_bytes\{kind="free"\} \d+\n/);
  load = { running: 0, waiting: 0 };
  expect(await registry.metrics()).toContain('federated_etl_queries{state="waiting"} 0\n');
});
