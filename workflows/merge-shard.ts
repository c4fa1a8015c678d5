import { proxyActivities } from '@temporalio/workflow';
import type { FederationActivities, MergeActivities } from '../activities/federation-activities';
import type { MergeOutcome } from '../activities/merge-window';
import { inLanes } from './lanes';
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

/** What became of a shard, in numbers; each window's outcome lies in the bucket. */
export interface ShardSummary {
  merged: number;
  reused: number;
  removed: number;
  problems: number;
}

/**
 * Merges the windows of one shard, a few at a time, and records what became of them. A window that cannot be merged
 * ends the shard: a cluster is in all its windows of a generation or in none, so there is nothing to commit then.
 */
export async function mergeShard(
  input: MergeShardInput,
  onMerged: (outcome: MergeOutcome) => void,
): Promise<ShardSummary> {
  const { describeShard, recordShard } = proxyActivities<FederationActivities>(quickActivity);
  const { mergeWindow } = proxyActivities<MergeActivities>({ ...longActivity, taskQueue: input.mergeQueue });
  const ref: ShardRef = { run: input.run, attempt: input.attempt, shard: input.shard };
  const windows = await describeShard.executeWithOptions(
    { summary: `read part ${input.shard + 1} of the plan` },
    [ref],
  );
  const outcomes = await inLanes(windows, input.parallel, async ({ index, label }) => {
    const outcome = await mergeWindow.executeWithOptions({ summary: `merge ${label}` }, [{ ...ref, index }]);
    onMerged(outcome);
    return outcome;
  });
  await recordShard.executeWithOptions({ summary: `record part ${input.shard + 1}` }, [{ ...ref, outcomes }]);
  const count = (holds: (outcome: MergeOutcome) => boolean) => outcomes.filter(holds).length;
  return {
    merged: count((outcome) => !outcome.reused && outcome.fingerprint !== undefined),
    reused: count((outcome) => outcome.reused),
    removed: count((outcome) => outcome.removed),
    problems: outcomes.reduce((sum, outcome) => sum + outcome.problems, 0),
  };
}
