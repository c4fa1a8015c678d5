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

/** The share of a run's plan that one child workflow merges: every `step`-th shard. */
export interface MergeLane {
  /** Distance from one shard of this lane to its next, in shards. Equals the number of lanes. */
  readonly step: number;
  /** Number of shards in the whole plan. */
  readonly shards: number;
  /** Number of windows after which the lane sends the next progress signal to the run. */
  readonly reportEvery: number;
  /** Total counts of the lane's earlier executions. */
  readonly before?: MergeCounts;
}

/** Input of one execution. `shard` is the next shard of the lane to merge. */
export interface MergeWindowsInput extends MergeShardInput {
  readonly lane: MergeLane;
}

/**
 * Number of shards per execution. Eight shards of 50 windows make some 2,500 events, a twentieth of Temporal's limit.
 */
const shardsPerHistory = 8;

/**
 * Merges the shards of one lane in turn. It continues as new, so that its history stays short however large the plan
 * is.
 */
export async function mergeWindows(input: MergeWindowsInput): Promise<MergeCounts> {
  const { counts, next } = await mergeShards(input).catch((error: unknown) => {
    throw asRunFailure(error);
  });
  return next === undefined ? counts : continueAsNew<typeof mergeWindows>(next);
}

/** Merges as many shards as fit into one execution. `next` is the input of the next execution, if shards are left. */
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

/** Signals the lane's progress to the run. A lost signal does no harm, since each one carries the lane's total. */
function reportToRun({ attempt, shard, lane }: MergeWindowsInput, counts: MergeCounts): void {
  const run = workflowInfo().parent;
  if (run === undefined) return;
  getExternalWorkflowHandle(run.workflowId, run.runId)
    .signal(windowsMerged, { attempt, lane: shard % lane.step, counts })
    .catch(() => undefined);
}
