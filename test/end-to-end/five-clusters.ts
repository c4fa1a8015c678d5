import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import { readNewestGeneration } from '../../activities/read-generations';
import { decodeSet, encodeSet } from '../../etl/file';
import { recordsOf } from '../../etl/model';
import { parseWindowId, type WindowId } from '../../etl/window';
import type { Generation } from '../../federation/generation';
import { writeAtomically } from '../../local-etl/write';
import { startFederation } from '../../operator/start-federation';
import { type ClusterProcess, startCluster } from '../../scripts/demo/cluster-process';
import { type DemoCluster, layOutClusters } from '../../scripts/demo/clusters';
import { goldenDay } from '../../scripts/demo/example-days';
import type { Bucket } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import type { FederationSummary } from '../../workflows/federation';
import { type FederationProgress, progress } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { builtProgram } from '../servers/program';
import { until } from '../until';

/** The five clusters of the demo, each running as a separate process, with a real Temporal server and a real bucket. */
export interface FiveClusters {
  readonly clusters: readonly DemoCluster[];
  readonly bucket: Bucket;
  readonly client: Client;
  cluster(id: string): DemoCluster;
  start(id: string): Promise<void>;
  /** Asks the cluster to stop, and waits until it has stopped. */
  stop(id: string): Promise<void>;
  /** Kills the cluster's process with SIGKILL, so that it cannot clean up. */
  kill(id: string): Promise<void>;
  /** Triggers the federation schedule, and waits until the run ends. */
  federate(): Promise<FederationSummary>;
  /** Starts a federation run outside the schedule, waits until it is merging, and returns its id. */
  federateUntilMerging(): Promise<string>;
  result(run: string): Promise<FederationSummary>;
  generation(): Promise<Generation>;
  close(): Promise<void>;
}

export interface Place {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** Creates a bucket, and returns the content of federated-store.yaml. `folder` contains all files of the demo. */
  store(folder: string): Promise<object>;
  /**
   * Returns the content of a federated-store.yaml that only the given cluster uses. If this function is missing, all
   * clusters use the content that `store` returns.
   */
  storeOf?(cluster: DemoCluster): Promise<object>;
  /** Address of the GCS emulator, if the store is of type GCS. */
  readonly gcsEmulator?: string;
}

/**
 * Creates the example in a temporary folder, with the golden ETL files of three days, and starts all five clusters.
 * They watch their folders and are notified of commits, so they rarely need to look for changes on their own.
 */
export async function startFiveClusters(place: Place): Promise<FiveClusters> {
  const { address, namespace, client, store, gcsEmulator } = place;
  const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-five-'));
  const clusters = await layOutClusters(dir, {
    lastDay: goldenDay,
    temporal: { address, namespace },
    store: await store(dir),
    localEtl: { rescanEvery: '30s', pullEvery: '30s' },
  });
  for (const cluster of clusters) {
    const own = await place.storeOf?.(cluster);
    if (own !== undefined) await giveStore(cluster, own);
    if (gcsEmulator !== undefined) await changeStorage(cluster, { gcsEmulator });
  }
  const bucket = await openBucketFromFile(path.join(dir, 'federated-store.yaml'), { gcsEmulator });
  const program = await builtProgram();
  const running = new Map<string, ClusterProcess>();
  const cluster = (id: string) => {
    const found = clusters.find((one) => one.id === id);
    if (found === undefined) throw new Error(`there is no ${id}`);
    return found;
  };
  const start = async (id: string) => void running.set(id, await startCluster(cluster(id), program));
  const end = async (id: string, how: 'stop' | 'kill') => {
    const process_ = running.get(id);
    running.delete(id);
    if (process_ === undefined) return;
    if (how === 'stop') return process_.stop();
    process.kill(process_.pid, 'SIGKILL');
    await process_.ended;
  };
  const result = async (run: string) => (await client.workflow.getHandle(run).result()) as FederationSummary;
  const schedule = client.schedule.getHandle(names('').schedule);
  const five: FiveClusters = {
    clusters,
    bucket,
    client,
    cluster,
    start,
    stop: (id) => end(id, 'stop'),
    kill: (id) => end(id, 'kill'),
    federate: async () => {
      const taken = async () =>
        (await schedule.describe()).info.recentActions.map((action) => action.action.workflow.workflowId);
      const before = await taken();
      await schedule.trigger();
      const run = await until('the schedule starts a run', async () =>
        (await taken()).find((id) => !before.includes(id)),
      );
      return result(run);
    },
    federateUntilMerging: async () => {
      const run = await startFederation(client, '', { trigger: 'person', at: new Date().toISOString() });
      await until('the run merges', async () => {
        const state = await client.workflow.getHandle(run).query<FederationProgress>(progress);
        return state.phase === 'merging' && state.merged > 0 ? state : undefined;
      });
      return run;
    },
    result,
    generation: async () => {
      const newest = await readNewestGeneration(bucket);
      if (newest === undefined) throw new Error('nothing was committed yet');
      return newest;
    },
    close: async () => {
      await Promise.all([...running.keys()].map((id) => end(id, 'stop')));
      await bucket.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(clusters.map(({ id }) => start(id)));
  } catch (error) {
    await five.close();
    throw error;
  }
  return five;
}

/** Writes a separate federated-store.yaml for one cluster, and makes the cluster's settings refer to this file. */
async function giveStore(cluster: DemoCluster, store: object): Promise<void> {
  const configFile = cluster.config.replace(/\.yaml$/, '-store.yaml');
  await writeFile(configFile, stringify(store));
  await changeStorage(cluster, { configFile });
}

async function changeStorage({ config }: DemoCluster, changes: object): Promise<void> {
  const settings = parse(await readFile(config, 'utf8')) as { storage: object };
  await writeFile(config, stringify({ ...settings, storage: { ...settings.storage, ...changes } }));
}

/** Returns the path of a cluster's local file for a window. */
export function localFile(cluster: DemoCluster, window: WindowId): string {
  return path.join(cluster.etl, 'bingen', window);
}

/**
 * Returns the file that a cost-model would write if it built the window again with different costs. Adds `more` to the
 * CPU cost of the first record.
 */
export function rebuiltBytes(window: WindowId, own: Uint8Array, more: number): Uint8Array {
  const set = decodeSet(parseWindowId(window)?.pipeline ?? 'allocations', own);
  const [first] = recordsOf(set)?.values() ?? [];
  if (first === undefined || first === null || !('cpuCost' in first))
    throw new Error(`${window} has no record to change`);
  first.cpuCost += more;
  return encodeSet(set);
}

/** Rebuilds a window in a cluster's local ETL with different costs, and returns the new bytes of its file. */
export async function rebuild(
  cluster: DemoCluster,
  window: WindowId,
  own: Uint8Array,
  more: number,
): Promise<Uint8Array> {
  const bytes = rebuiltBytes(window, own, more);
  await writeAtomically(localFile(cluster, window), bytes);
  return bytes;
}

export interface FederatorPlace {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly firstRunAfter: string;
  readonly runEvery: string;
}

/**
 * Writes the settings of a cluster that only has the role of federator. Its bucket is the folder `bucket` below `dir`.
 */
export async function writeFederator(
  dir: string,
  id: string,
  { temporal, ...times }: FederatorPlace,
): Promise<DemoCluster> {
  const store = path.join(dir, 'federated-store.yaml');
  await writeFile(store, stringify({ type: 'FILESYSTEM', config: { directory: path.join(dir, 'bucket') } }));
  const config = path.join(dir, `${id}.yaml`);
  const settings = {
    clusterId: id,
    federatedETL: { federator: { enabled: true, ...times } },
    storage: { configFile: store },
    temporal,
    // Listen on any free port, because other clusters run on this machine at the same time.
    health: { listen: '127.0.0.1:0' },
  };
  await writeFile(config, stringify(settings));
  return {
    id,
    roles: { federator: true },
    config,
    etl: path.join(dir, id, 'etl'),
    log: path.join(dir, `${id}.log`),
  };
}

/**
 * Rewrites a local file with its records in reverse order. A cost-model may also change the order when it loads a file
 * and saves it again. Returns true if the bytes of the file have changed.
 */
export async function rewriteInOtherBytes(cluster: DemoCluster, window: WindowId): Promise<boolean> {
  const before = await readFile(localFile(cluster, window));
  const pipeline = parseWindowId(window)?.pipeline ?? 'allocations';
  const set = decodeSet(pipeline, before);
  const records = recordsOf(set);
  // The order of the records determines the order of the string table, and so changes the bytes of the whole file.
  const reversed = [...(records ?? [])].reverse();
  records?.clear();
  for (const [key, record] of reversed) records?.set(key, record);
  const after = encodeSet(set);
  await writeAtomically(localFile(cluster, window), after);
  return !after.equals(before);
}
