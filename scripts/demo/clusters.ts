import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { decodeSet, encodeSet } from '../../etl/file';
import { parseWindowFile, windowId, type WindowRef } from '../../etl/window';
import { secondsAfterGolden, yesterday } from './example-days';
import { shiftSet } from './shift-set';

/** One of the five clusters in the guide's example. */
export interface DemoCluster {
  readonly id: string;
  readonly roles: { readonly federator?: true; readonly primary?: true };
  /** Path of the cluster's settings file. */
  readonly config: string;
  readonly etl: string;
  readonly log: string;
}

/** Folder with the example data: the ETL files of five clusters, written by OpenCost's own code. */
const exampleData = join(__dirname, '..', '..', 'test', 'golden', 'bucket', 'federated');

/**
 * The clusters of the example and their roles. Every cluster pushes its data; one is also the Federator, and another is
 * also the Primary.
 */
const example: readonly { id: string; roles: DemoCluster['roles'] }[] = [
  { id: 'cluster-1', roles: {} },
  { id: 'cluster-2', roles: {} },
  { id: 'cluster-3', roles: {} },
  { id: 'cluster-4', roles: { federator: true } },
  { id: 'cluster-5', roles: { primary: true } },
];

export interface Surroundings {
  /** Last day of the example data. Only used for clusters that have no local ETL files yet. */
  readonly lastDay: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** Content of `federated-store.yaml`, which describes the bucket. */
  readonly store: object;
  /** Additional settings in the section `localEtl`. They are the same for every cluster. */
  readonly localEtl?: object;
  /** Settings of the primary's API. (Default: the API listens on any free port of this machine) */
  readonly api?: object;
  /** URL of the Temporal UI. */
  readonly temporalUi?: string;
}

/**
 * Returns the last day of the example data that is already under `dir`, judging by its file names. Returns undefined if
 * there is no data.
 */
export async function laidOutDay(dir: string): Promise<string | undefined> {
  const ends: number[] = [];
  for (const { id } of example) {
    const etl = etlOf(dir, id);
    if (!existsSync(join(etl, 'bingen'))) continue;
    for (const { resolution, window } of await windowsBelow(etl))
      if (resolution === '1d') ends.push(window.end);
  }
  return ends.length === 0 ? undefined : yesterday(new Date(Math.max(...ends) * 1000));
}

/**
 * Creates the files of the example under `dir`: `federated-store.yaml`, and for each cluster a settings file and a
 * local ETL (a folder of ETL files). All times in a local ETL are shifted, so that it ends on `lastDay`. A local ETL
 * that already exists is kept, so that a second start of the example continues where the first one stopped.
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
        etl: etlOf(dir, id),
        log: join(dir, 'logs', `${id}.log`),
      };
      if (!existsSync(cluster.etl)) await layOutEtl(cluster, surroundings.lastDay);
      await writeFile(cluster.config, stringify(settingsOf(cluster, store, surroundings)));
      return cluster;
    }),
  );
}

function etlOf(dir: string, id: string): string {
  return join(dir, 'clusters', id, 'etl');
}

/**
 * Creates a cluster's local ETL in a temporary folder and then renames the folder. So if the example is interrupted, it
 * leaves no incomplete local ETL that the next start would keep.
 */
async function layOutEtl({ id, etl }: DemoCluster, lastDay: string): Promise<void> {
  const data = join(exampleData, id, 'etl');
  const seconds = secondsAfterGolden(lastDay);
  const partial = `${etl}.partial`;
  await rm(partial, { recursive: true, force: true });
  for (const ref of await windowsBelow(data)) {
    const { start, end } = ref.window;
    const moved = { ...ref, window: { start: start + seconds, end: end + seconds } };
    const set = decodeSet(ref.pipeline, await readFile(windowPath(data, ref)));
    const path = windowPath(partial, moved);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, encodeSet(shiftSet(set, seconds)));
  }
  await rename(partial, etl);
}

async function windowsBelow(etl: string): Promise<WindowRef[]> {
  const paths = await readdir(join(etl, 'bingen'), { recursive: true });
  return paths.flatMap((path) => parseWindowFile(path)?.ref ?? []);
}

function windowPath(etl: string, ref: WindowRef): string {
  return join(etl, 'bingen', windowId(ref));
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
    // Listen on any free port, because all five clusters run on one machine.
    health: { listen: '127.0.0.1:0' },
    log: { format: 'pretty' },
  };
}
