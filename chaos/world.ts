import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { clusterId } from '../etl/cluster-id';
import { isWindowId } from '../etl/window';
import { layOutClusters } from '../scripts/demo/clusters';
import { goldenDay } from '../scripts/demo/example-days';
import { freePort } from '../scripts/set-up/free-port';
import { localWindows } from './local-files';
import type { Target } from './plan';
import type { ChaosStore } from './store';
import { Supervised, type Victim } from './supervised';
import type { Temporal } from './temporal';
import { Truth } from './truth';
import type { Violation } from './violation';

export const primary = 'cluster-5';
const federators = ['east', 'west'] as const;
export const clusters = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', primary] as const;

/** The processes that can be killed. The primary is a Federated Cluster, too. */
export const targets: readonly Target[] = [
  ...clusters.map((name) => ({ name, role: name === primary ? ('primary' as const) : ('agent' as const) })),
  ...federators.map((name) => ({ name, role: 'federator' as const })),
  { name: 'temporal', role: 'temporal' },
];

/** The federation under test: its processes, its store, and what is true about it. */
export interface World {
  readonly dir: string;
  readonly store: ChaosStore;
  readonly temporal: Temporal;
  readonly client: Client;
  readonly processes: readonly Supervised[];
  readonly victims: readonly Victim[];
  readonly truth: Truth;
  /** URL of the primary's API. */
  readonly apiUrl: string;
  /** Returns the folder of a cluster's local ETL. */
  etl(cluster: string): string;
  close(): Promise<void>;
}

interface WorldOptions {
  readonly script: string;
  readonly store: ChaosStore;
  readonly temporal: Temporal;
  readonly onViolation: (violation: Violation) => void;
}

/**
 * Lays out the five clusters of the example, and starts them, two federators and a primary as processes of `script`.
 * They share one namespace and one store.
 */
export async function startWorld(
  dir: string,
  { script, store, temporal, onViolation }: WorldOptions,
): Promise<World> {
  const at = { address: temporal.address, namespace: 'default' };
  const laidOut = await layOutClusters(dir, { lastDay: goldenDay, temporal: at, store: store.config });
  const folders = new Map(laidOut.map(({ id, etl }) => [id, etl]));
  const etl = (cluster: string) => folders.get(cluster) ?? '';
  const listen = `127.0.0.1:${await freePort(undefined)}`;
  const truth = new Truth(clusters);
  const processes: Supervised[] = [];
  const common = {
    storage: { configFile: path.join(dir, 'federated-store.yaml') },
    temporal: at,
    health: { listen: '127.0.0.1:0' },
    log: { level: 'info', format: 'json' },
  };
  const start = async (name: string, role: Target['role'], settings: object) => {
    const config = path.join(dir, `${name}.yaml`);
    await writeFile(config, stringify({ clusterId: name, ...common, ...settings }));
    processes.push(
      new Supervised(name, role, script, { config, log: path.join(dir, 'logs', `${name}.log`) }, (how) =>
        onViolation({ check: 'ended', what: `${name} ended by itself ${how}` }),
      ),
    );
  };
  for (const cluster of clusters) {
    for (const window of await localWindows(etl(cluster)))
      if (isWindowId(window))
        truth.wrote(cluster, window, await readFile(path.join(etl(cluster), 'bingen', window)));
    const isPrimary = cluster === primary;
    await start(clusterId(cluster), isPrimary ? 'primary' : 'agent', {
      federatedETL: { federatedCluster: true, ...(isPrimary && { primaryCluster: true }) },
      localEtl: { path: etl(cluster), rescanEvery: '5s', pullEvery: '5s' },
      ...(isPrimary && { api: { listen } }),
    });
  }
  for (const name of federators)
    await start(name, 'federator', {
      federatedETL: { federator: { enabled: true, firstRunAfter: '2s', runEvery: '6s' } },
    });
  const connection = await Connection.connect({ address: temporal.address });
  return {
    dir,
    store,
    temporal,
    client: new Client({ connection, namespace: at.namespace }),
    processes,
    victims: [...processes, temporal],
    truth,
    apiUrl: `http://${listen}`,
    etl,
    close: async () => {
      await Promise.all(processes.map((one) => one.stop()));
      await connection.close();
    },
  };
}
