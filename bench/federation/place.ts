import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { combinedPrefix } from '../../federation/layout';
import { startCluster } from '../../scripts/demo/cluster-process';
import { findTemporal } from '../../scripts/set-up/temporal-cli';
import { startTemporalServer } from '../../scripts/set-up/temporal-server';
import type { Bucket } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import type { Releasers } from '../../workers/releasers';
import { type MeasuredStore, stores } from '../storage/stores';
import { parseMetrics, type Sample } from './metrics';

/** The environment of a benchmark: a Temporal server and a store. The files of both are in one folder. */
export interface Place {
  readonly folder: string;
  readonly client: Client;
  readonly temporal: { readonly address: string; readonly pid: number };
  readonly store: MeasuredStore;
  /** Path of the `federated-store.yaml` that describes the store. */
  readonly storeFile: string;
  readonly bucket: Bucket;
}

/**
 * Starts a store, and a Temporal development server like the one that `npm start` starts. Both are stopped when `held`
 * is released. If this process is killed, both are stopped and the folder is deleted.
 */
export async function startPlace(held: Releasers, folder: string, storeName: string): Promise<Place> {
  const start = stores[storeName];
  if (start === undefined)
    throw new Error(`there is no store ${storeName}: ${Object.keys(stores).join(', ')}`);
  await mkdir(folder, { recursive: true });
  const found = await findTemporal({ say: console.error, useAddress: false });
  if (found.kind !== 'binary') throw new Error('a Temporal server of its own is needed');
  const temporal = await startTemporalServer({
    binary: found.path,
    dbFile: path.join(folder, 'temporal.db'),
    headless: true,
    logFile: path.join(folder, 'temporal.log'),
    remove: [folder],
  });
  held.defer(() => temporal.stop());
  const connection = await Connection.connect({ address: temporal.address });
  held.defer(() => connection.close());
  const store = await start(folder);
  held.defer(() => store.stop());
  const storeFile = path.join(folder, 'federated-store.yaml');
  await writeFile(storeFile, stringify(store.store));
  const bucket = await openBucketFromFile(storeFile);
  held.defer(() => bucket.close());
  return { folder, client: new Client({ connection }), temporal, store, storeFile, bucket };
}

const deletingAtOnce = 16;

/** Deletes everything that federation runs have written to the store, which is everything under `combinedPrefix`. */
export async function forgetCombined({ bucket }: Place): Promise<void> {
  const keys: string[] = [];
  for await (const entry of bucket.list(combinedPrefix)) if (entry.kind === 'object') keys.push(entry.key);
  await mapConcurrently(keys, deletingAtOnce, (key) => bucket.delete(key));
}

/** A `federated-etl run` process that performs the roles of one cluster. */
export interface RunningCluster {
  readonly pid: number;
  /** Path of the cluster's local ETL folder. */
  readonly etl: string;
  /** URL of the cluster's API. Undefined if the cluster has no API. */
  readonly apiUrl?: string;
  metrics(): Promise<Sample[]>;
  stop(): Promise<void>;
}

/** Interval for periodic work that must not happen during a benchmark. It is longer than any benchmark. */
const never = '48h';

/**
 * Starts a cluster with the roles in `federatedETL`, and waits until it is ready. The cluster is stopped when `held` is
 * released.
 */
export async function startRoles(
  held: Releasers,
  { folder, temporal, storeFile }: Place,
  id: string,
  federatedETL: Readonly<Record<string, unknown>>,
): Promise<RunningCluster> {
  const etl = path.join(folder, id, 'etl');
  const [config, log] = ['yaml', 'log'].map((ending) => path.join(folder, `${id}.${ending}`)) as [
    string,
    string,
  ];
  await mkdir(etl, { recursive: true });
  const settings = {
    clusterId: id,
    federatedETL,
    storage: { configFile: storeFile },
    localEtl: { path: etl, rescanEvery: never, pullEvery: never },
    temporal: { address: temporal.address },
    ...(federatedETL['primaryCluster'] === true && { api: { listen: '127.0.0.1:0' } }),
    health: { listen: '127.0.0.1:0' },
    log: { format: 'json' },
  };
  await writeFile(config, stringify(settings));
  // Empty the log. Otherwise it might still contain URLs of an earlier process of this cluster, which `urlsIn` would
  // read.
  await writeFile(log, '');
  const process = await startCluster({ id, roles: {}, config, etl, log });
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= process.stop());
  held.defer(stop);
  const said = await urlsIn(log);
  const healthUrl = said.get('health.listening');
  return {
    pid: process.pid,
    etl,
    ...(said.has('api.listening') && { apiUrl: said.get('api.listening') }),
    metrics: async () => parseMetrics(await (await fetch(`${healthUrl}/metrics`)).text()),
    stop,
  };
}

/** Starts a federator whose schedule never starts a run. A benchmark starts each run itself. */
export function startFederator(
  held: Releasers,
  place: Place,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<RunningCluster> {
  return startRoles(held, place, 'federator', {
    federator: { enabled: true, firstRunAfter: never, runEvery: never, ...settings },
  });
}

/** Returns the URLs on which a process listens, as found in its log. Keys are the names of the log events. */
async function urlsIn(log: string): Promise<Map<string, string>> {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.startsWith('{'));
  const events = lines.map((line) => JSON.parse(line) as { event?: string; url?: string });
  return new Map(
    events.flatMap(({ event, url }): [string, string][] => (event && url ? [[event, url]] : [])),
  );
}
