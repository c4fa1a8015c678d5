import { describeWindow, parseWindowId, type WindowId } from '../etl/window';
import type { FederationDependencies } from './federation-dependencies';
import { readShard } from './plan-objects';

export interface DescribeShardInput {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
}

export interface ShardWindow {
  readonly index: number;
  readonly window: WindowId;
  /** Human-readable name of the window, with the number of its sources: `allocations 1d 2026-11-19 · 5 clusters`. */
  readonly label: string;
}

export interface ShardDescription {
  /** The windows of the shard, at most 50. */
  readonly windows: readonly ShardWindow[];
}

/** Creates the activity that lists the windows of a shard. A shard is a part of a run's plan. */
export function createDescribeShard({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, attempt, shard }: DescribeShardInput): Promise<ShardDescription> => {
    const { windows: planned } = await readShard(bucket, run, attempt, shard, { signal: signal() });
    const windows = planned.map(({ window, sources }, index) => {
      const ref = parseWindowId(window);
      const name = ref === undefined ? window : `${ref.pipeline} ${describeWindow(ref)}`;
      return {
        index,
        window,
        label: `${name} · ${sources.length} ${sources.length === 1 ? 'cluster' : 'clusters'}`,
      };
    });
    return { windows };
  };
}
