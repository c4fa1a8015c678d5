import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import type { QueryEngine } from '../query/engine';

/**
 * Registers metrics about a primary's query load and about the free space for its database. They are measured at each
 * scrape.
 *
 * @param folder the folder that contains the database
 */
export function registerQueryMetrics(
  registry: Registry,
  engine: Pick<QueryEngine, 'load'>,
  folder: string,
): void {
  const registers = [registry];
  new Gauge({
    name: 'federated_etl_queries',
    help: 'Queries that the database answers at the moment, and those that wait for it',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(engine.load())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'federated_etl_query_database_bytes',
    help: 'Size of the database and of its log of changes',
    registers,
    async collect() {
      const files = ['query.duckdb', 'query.duckdb.wal'].map((file) => join(folder, file));
      const sizes = await Promise.all(
        files.map((file) =>
          stat(file).then(
            ({ size }) => size,
            () => 0,
          ),
        ),
      );
      this.set(sizes.reduce((sum, size) => sum + size, 0));
    },
  });
  new Gauge({
    name: 'federated_etl_query_volume_bytes',
    help: 'Size of the volume of the database, and its free space',
    labelNames: ['kind'],
    registers,
    async collect() {
      const volume = await statfs(folder).catch(() => undefined);
      if (volume === undefined) return this.reset();
      this.set({ kind: 'size' }, volume.blocks * volume.bsize);
      this.set({ kind: 'free' }, volume.bavail * volume.bsize);
    },
  });
}
