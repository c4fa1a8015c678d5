import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { clusterId } from '../../etl/cluster-id';
import { type Pipeline, pipelines, windowId, type WindowRef } from '../../etl/window';
import { clusterEtlKey } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import { type MadeUpFile, madeUpFile } from '../merge/made-up-clusters';

/** Describes the files in a made-up store: which clusters have pushed which windows, and how large the files are. */
export interface Contents {
  readonly clusters: number;
  readonly windows: readonly WindowRef[];
  /** Number of records in each file (one cluster, one window), by pipeline. */
  readonly records: Readonly<Record<Pipeline, number>>;
}

const resolutions = [
  { resolution: '1d', seconds: 86_400 },
  { resolution: '1h', seconds: 3_600 },
] as const;
/** Fraction of the windows that are daily. A cost agent such as OpenCost keeps 91 daily and 49 hourly windows. */
const dailyShare = 91 / (91 + 49);

/**
 * Returns `count` windows that end at or before `moment`, as a cost agent would keep them at that time. The windows of
 * the two pipelines, allocations and assets, cover the same days and hours.
 */
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

/** Function that stores a file under a key. */
type Put = (key: string, bytes: Uint8Array) => unknown;

/**
 * Returns a function that writes files to a store. If the store is a folder, the function writes the files directly,
 * without renaming them into place. This is safe because the benchmarks write only while no federation run reads the
 * store.
 */
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

/** Stores one file per window and cluster, under the key to which the cluster would push it. */
export async function fill(put: Put, { clusters, windows, records }: Contents): Promise<void> {
  for (const ref of windows) {
    const numbers = Array.from({ length: clusters }, (_, index) => index + 1);
    await mapConcurrently(numbers, puttingAtOnce, (cluster) =>
      push(put, ref, { cluster, records: records[ref.pipeline] }),
    );
  }
}

/** Stores one file, under the key to which its cluster would push it. */
export async function push(
  put: Put,
  ref: WindowRef,
  file: Pick<MadeUpFile, 'cluster' | 'records' | 'built'>,
): Promise<void> {
  const key = clusterEtlKey(clusterId(`cluster-${file.cluster}`), windowId(ref));
  await put(key, madeUpFile({ ...ref, ...file }));
}
