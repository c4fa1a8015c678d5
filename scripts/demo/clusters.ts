import { cp, mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** One of the guide's five clusters. */
export interface DemoCluster {
  readonly id: string;
  readonly roles: { readonly federator?: true; readonly primary?: true };
  /** Its settings file. */
  readonly config: string;
  readonly etl: string;
  readonly log: string;
}

/** Where the example data lies: five clusters' ETL files, made by OpenCost's own code. */
const exampleData = join(__dirname, '..', '..', 'test', 'golden', 'bucket', 'federated');

/** The guide's example: three pure Federated Clusters, one that is also the Federator, one that is also the Primary. */
const example: readonly { id: string; roles: DemoCluster['roles'] }[] = [
  { id: 'cluster-1', roles: {} },
  { id: 'cluster-2', roles: {} },
  { id: 'cluster-3', roles: {} },
  { id: 'cluster-4', roles: { federator: true } },
  { id: 'cluster-5', roles: { primary: true } },
];

export interface Surroundings {
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** What federated-store.yaml says. */
  readonly store: object;
  /** More settings of `localEtl`, for every cluster. */
  readonly localEtl?: object;
  /** Settings of the primary's API. (Default: any free port of this machine) */
  readonly api?: object;
  /** Where the Temporal UI is. */
  readonly temporalUi?: string;
}

/**
 * Lays out the example under `dir`: federated-store.yaml, and for each cluster a settings file and its local ETL. What is
 * there stays: a second start goes on from the first one.
 */
export async function layOutClusters(dir: string, surroundings: Surroundings): Promise<DemoCluster[]> {
  const store = join(dir, 'federated-store.yaml');
  await mkdir(join(dir, 'logs'), { recursive: true });
  await writeFile(store, stringify(surroundings.store));
  return Promise.all(
    example.map(async ({ id, roles }) => {
      const cluster: DemoCluster = {
        id,
        roles,
        config: join(dir, `${id}.yaml`),
        etl: join(dir, 'clusters', id, 'etl'),
        log: join(dir, 'logs', `${id}.log`),
      };
      if (!existsSync(cluster.etl)) await cp(join(exampleData, id, 'etl'), cluster.etl, { recursive: true });
      await writeFile(cluster.config, stringify(settingsOf(cluster, store, surroundings)));
      return cluster;
    }),
  );
}

function settingsOf(
  { id, roles, etl }: DemoCluster,
  store: string,
  { temporal, localEtl, api = { listen: '127.0.0.1:0' }, temporalUi }: Surroundings,
): object {
  return {
    clusterId: id,
    federatedETL: {
      federatedCluster: true,
      ...(roles.federator === undefined ? {} : { federator: { enabled: true } }),
      ...(roles.primary === undefined ? {} : { primaryCluster: true }),
    },
    storage: { configFile: store },
    localEtl: { path: etl, ...localEtl },
    temporal: { ...temporal, ...(temporalUi === undefined ? {} : { uiUrl: temporalUi }) },
    ...(roles.primary === undefined ? {} : { api }),
    // All five are on one machine.
    health: { listen: '127.0.0.1:0' },
    log: { format: 'pretty' },
  };
}
