import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { decodeSet, encodeSet } from '../../etl/file';
import { parseWindowFile, windowId, type WindowRef } from '../../etl/window';
import { secondsAfterGolden, yesterday } from './example-days';
import { shiftSet } from './shift-set';

/** One of the five clusters of the guide's example. */
export interface DemoCluster {
  readonly id: string;
  readonly roles: { readonly federator?: true; readonly primary?: true };
  /** Path of the cluster's settings file. */
  readonly config: string;
  readonly etl: string;
  readonly log: string;
}

/** The folder with the example data: the ETL files of five clusters, written by OpenCost's own code. */
const exampleData = join(__dirname, '..', '..', 'test', 'golden', 'bucket', 'federated');

/**
 * The clusters of the guide's example: three are only Federated Clusters, one is also the Federator, one is also the
 * Primary.
 */
const example: readonly { id: string; roles: DemoCluster['roles'] }[] = [
  { id: 'cluster-1', roles: {} },
  { id: 'cluster-2', roles: {} },
  { id: 'cluster-3', roles: {} },
  { id: 'cluster-4', roles: { federator: true } },
  { id: 'cluster-5', roles: { primary: true } },
];

export interface Surroundings {
  /** Day on which the example data ends, for clusters that have no local ETL yet. */
  readonly lastDay: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** The content of `federated-store.yaml`. */
  readonly store: object;
  /** Additional settings in `localEtl`, for every cluster. */
  readonly localEtl?: object;
  /** Settings of the primary's API. (Default: listen on any free port of this machine) */
  readonly api?: object;
  /** URL of the Temporal UI. */
  readonly temporalUi?: string;
}

/**
 * Returns the last day of the example data that exists under `dir`, according to the file names; undefined if there is
 * none.
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
 * Creates the files of the example under `dir`: `federated-store.yaml`, and for each cluster a settings file and its
 * local ETL, whose data is shifted so that it ends on the last day in `surroundings`. Keeps a local ETL that exists, so
 * that a second start continues where the first one stopped.
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

/** Creates a cluster's local ETL completely or not at all, because a later start would keep a half-written one. */
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
    // The five clusters run on one machine, so each listens on any free port.
    health: { listen: '127.0.0.1:0' },
    log: { format: 'pretty' },
  };
}
