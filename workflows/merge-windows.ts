import {
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { asRunFailure } from './failure';
import { addCounts, type MergeCounts, noWindows } from './merge-counts';
import { mergeShard, type MergeShardInput } from './merge-shard';
import { windowsMerged } from './messages';

/** The part of a run's plan that one child workflow merges: every `step`-th shard. */
export interface MergeLane {
  /** Distance between the numbers of two consecutive shards of this lane. Equals the number of lanes. */
  readonly step: number;
  /** Number of shards in the whole plan, not only in this lane. */
  readonly shards: number;
  /** Number of windows between two progress signals to the run. */
  readonly reportEvery: number;
  /** Total counts of the earlier executions of this workflow. Undefined in its first execution. */
  readonly before?: MergeCounts;
}

/** Input of the workflow, both at its start and when it continues as new. `shard` is the next shard to merge. */
export interface MergeWindowsInput extends MergeShardInput {
  readonly lane: MergeLane;
}

/**
 * Number of shards after which the workflow continues as new. Eight shards of 50 windows cause about 2,500 events, a
 * twentieth of Temporal's limit.
 */
const shardsPerHistory = 8;

/**
 * Merges the shards of one lane, one after the other. Continues as new from time to time, so that its history stays
 * short even for a large plan.
 */
export async function mergeWindows(input: MergeWindowsInput): Promise<MergeCounts> {
  const { counts, next } = await mergeShards(input).catch((error: unknown) => {
    throw asRunFailure(error);
  });
  return next === undefined ? counts : continueAsNew<typeof mergeWindows>(next);
}

/**
 * Merges up to `shardsPerHistory` shards. If there are more, `next` is the input with which the workflow continues as
 * new.
 */
async function mergeShards(
  input: MergeWindowsInput,
): Promise<{ counts: MergeCounts; next?: MergeWindowsInput }> {
  const { lane } = input;
  const { step, shards, reportEvery } = lane;
  let counts = lane.before ?? noWindows();
  let reported = counts.windows;
  let shard = input.shard;
  for (let done = 0; shard < shards; shard += step, done++) {
    if (done === shardsPerHistory || workflowInfo().continueAsNewSuggested) {
      const scope = CancellationScope.current();
      if (scope.consideredCancelled) await scope.cancelRequested;
      return { counts, next: { ...input, shard, lane: { ...lane, before: counts } } };
    }
    await mergeShard({ ...input, shard }, (more) => {
      counts = addCounts(counts, more);
      if (counts.windows % 10 === 0) setCurrentDetails(`${counts.windows} windows merged`);
      if (counts.windows < reported + reportEvery) return;
      reported = counts.windows;
      reportToRun(input, counts);
    });
  }
  return { counts };
}

/**
 * Signals the lane's progress to the run. A lost signal does no harm, because each signal contains the total so far.
 */
function reportToRun({ attempt, shard, lane }: MergeWindowsInput, counts: MergeCounts): void {
  const run = workflowInfo().parent;
  if (run === undefined) return;
  getExternalWorkflowHandle(run.workflowId, run.runId)
    .signal(windowsMerged, { attempt, lane: shard % lane.step, counts })
    .catch(() => undefined);
}
