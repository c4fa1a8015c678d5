import { proxyActivities } from '@temporalio/workflow';
import type { ShardDescription, ShardWindow } from '../activities/describe-shard';
import type { FederationActivities, MergeActivities } from '../activities/federation-activities';
import { addCalls, noCalls } from '../federation/store-calls';
import { inLanes } from './lanes';
import { countsOf, type MergeCounts } from './merge-counts';
import { longActivity, quickActivity } from './retries';

/** A part of a run's plan, by reference: the plan itself lies in the bucket. */
export interface ShardRef {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
}

export interface MergeShardInput extends ShardRef {
  readonly mergeQueue: string;
  /** How many windows at once. */
  readonly parallel: number;
}

/**
 * Merges the windows of one shard, a few at a time, and records what became of them; `tell` hears of each step what it
 * adds. A window that cannot be merged ends the shard: a cluster is in all its windows of a generation or in none, so
 * there is nothing to commit then.
 */
export async function mergeShard(
  input: MergeShardInput,
  tell: (more: Partial<MergeCounts>) => void,
): Promise<void> {
  const { describeShard, recordShard } = proxyActivities<FederationActivities>(quickActivity);
  const { mergeWindow } = proxyActivities<MergeActivities>({ ...longActivity, taskQueue: input.mergeQueue });
  const ref: ShardRef = { run: input.run, attempt: input.attempt, shard: input.shard };
  const described = await describeShard.executeWithOptions(
    { summary: `read part ${input.shard + 1} of the plan` },
    [ref],
  );
  tell({ calls: addCalls(noCalls(), described.calls) });
  const outcomes = await inLanes(windowsOf(described), input.parallel, async ({ index, label }) => {
    const counted = await mergeWindow.executeWithOptions({ summary: `merge ${label}` }, [{ ...ref, index }]);
    tell(countsOf(counted));
    const { calls: _, ...outcome } = counted;
    return outcome;
  });
  const recorded = await recordShard.executeWithOptions({ summary: `record part ${input.shard + 1}` }, [
    { ...ref, outcomes },
  ]);
  tell({ calls: addCalls(noCalls(), recorded?.calls) });
}

/** Older versions described a shard by its windows alone. */
function windowsOf(described: ShardDescription | readonly ShardWindow[]): readonly ShardWindow[] {
  return 'windows' in described ? described.windows : described;
}
