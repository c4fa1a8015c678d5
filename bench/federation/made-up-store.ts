import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pMap from 'p-map';
import { type Pipeline, pipelines, windowId, type WindowRef } from '../../etl/window';
import type { Bucket } from '../../storage/bucket';
import { clusterId } from '../../etl/cluster-id';
import { clusterEtlKey } from '../../federation/layout';
import { type MadeUpFile, madeUpFile } from '../merge/made-up-clusters';

/** What clusters have pushed. */
export interface Contents {
  readonly clusters: number;
  readonly windows: readonly WindowRef[];
  /** Of a cluster in a window. */
  readonly records: Readonly<Record<Pipeline, number>>;
}

const resolutions = [
  { resolution: '1d', seconds: 86_400 },
  { resolution: '1h', seconds: 3_600 },
] as const;
/** Agents keep 91 days and 49 hours. */
const dailyShare = 91 / (91 + 49);

/** So many windows as an agent keeps them, closed at a moment: of both pipelines the same, by days and by hours. */
export function windowsBefore(moment: Date, count: number): WindowRef[] {
  const each = Math.ceil(count / pipelines.length);
  const days = Math.round(each * dailyShare);
  const windows = pipelines.flatMap((pipeline) =>
    resolutions.flatMap(({ resolution, seconds }) => {
      const last = Math.floor(moment.getTime() / 1_000 / seconds) * seconds;
      return Array.from({ length: resolution === '1d' ? days : each - days }, (_, back): WindowRef => {
        const end = last - back * seconds;
        return { pipeline, resolution, window: { start: end - seconds, end } };
      });
    }),
  );
  return windows.slice(0, count);
}

/** Where a file is to lie, and its bytes. */
type Put = (key: string, bytes: Uint8Array) => unknown;

/** Writes into a store: right into its folder where it has one, as a federator that does not look yet cannot see halves. */
export function writer(bucket: Bucket, directory: string | undefined): Put {
  if (directory === undefined) return (key, bytes) => bucket.put(key, bytes);
  const folders = new Set<string>();
  return (key, bytes) => {
    const file = path.join(directory, key);
    const folder = path.dirname(file);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    writeFileSync(file, bytes);
  };
}

const puttingAtOnce = 16;

/** Puts a file of each window of each cluster where the cluster would have pushed it. */
export async function fill(put: Put, { clusters, windows, records }: Contents): Promise<void> {
  for (const ref of windows) {
    const numbers = Array.from({ length: clusters }, (_, index) => index + 1);
    await pMap(numbers, (cluster) => push(put, ref, { cluster, records: records[ref.pipeline] }), {
      concurrency: puttingAtOnce,
    });
  }
}

/** Puts one file, as one cluster would. */
export async function push(
  put: Put,
  ref: WindowRef,
  file: Pick<MadeUpFile, 'cluster' | 'records' | 'built'>,
): Promise<void> {
  const key = clusterEtlKey(clusterId(`cluster-${file.cluster}`), windowId(ref));
  await put(key, madeUpFile({ ...ref, ...file }));
}
