import { proxyActivities } from '@temporalio/workflow';
import type { FederationActivities, MergeActivities } from '../activities/federation-activities';
import { inLanes } from './lanes';
import { countsOf, type MergeCounts } from './merge-counts';
import { longActivity, quickActivity } from './retries';

/** Identifies a shard of a run's plan. The shard itself is stored in the bucket. */
export interface ShardRef {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
}

export interface MergeShardInput extends ShardRef {
  readonly mergeQueue: string;
  /** Maximum number of windows merged at once. */
  readonly parallel: number;
}

/**
 * Merges the windows of one shard, at most `parallel` at a time, and records the outcomes. Calls `tell` after every
 * activity, with the counts of that activity only. The caller adds them up. If a window cannot be merged, the whole
 * shard fails: a generation must have all windows of a cluster or none, so nothing could be committed anyway.
 */
export async function mergeShard(
  input: MergeShardInput,
  tell: (more: Partial<MergeCounts>) => void,
): Promise<void> {
  const { describeShard, recordShard } = proxyActivities<FederationActivities>(quickActivity);
  const { mergeWindow } = proxyActivities<MergeActivities>({ ...longActivity, taskQueue: input.mergeQueue });
  const ref: ShardRef = { run: input.run, attempt: input.attempt, shard: input.shard };
  const described = await describeShard.executeWithOptions(
    { summary: `read shard ${input.shard + 1} of the plan` },
    [ref],
  );
  tell({ calls: described.calls });
  const outcomes = await inLanes(described.windows, input.parallel, async ({ index, label }) => {
    const counted = await mergeWindow.executeWithOptions({ summary: `merge ${label}` }, [{ ...ref, index }]);
    tell(countsOf(counted));
    const { calls: _, ...outcome } = counted;
    return outcome;
  });
  const recorded = await recordShard.executeWithOptions({ summary: `record shard ${input.shard + 1}` }, [
    { ...ref, outcomes },
  ]);
  tell({ calls: recorded.calls });
}
