import {
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { asRunFailure } from './failure';
import { addCounts, noWindows, type MergeCounts } from './merge-counts';
import { mergeShard, type MergeShardInput } from './merge-shard';
import { windowsMerged } from './messages';

/** One of the children among which a run divides the parts of its plan. */
export interface MergeLane {
  /** Every so many-th part is this lane's. */
  readonly step: number;
  /** The parts of the whole plan. */
  readonly shards: number;
  /** The run is told how far the lane is after so many windows. */
  readonly tellEvery: number;
  /** What the executions before this one did. */
  readonly before?: MergeCounts;
}

/** `shard` is the lane's next part. Without a lane it is the only one, as for the runs of older versions. */
export interface MergeWindowsInput extends MergeShardInput {
  readonly lane?: MergeLane;
}

/** Parts after which it continues as new: 50 windows each make some 2,500 events, half of a tenth of Temporal's limit. */
const partsPerHistory = 8;

/** The parts of a plan that are one lane's, one after another, in histories that stay short whatever the plan's size. */
export async function mergeWindows(input: MergeWindowsInput): Promise<MergeCounts> {
  const { counts, next } = await mergeParts(input).catch((error: unknown) => {
    throw asRunFailure(error);
  });
  return next === undefined ? counts : continueAsNew<typeof mergeWindows>(next);
}

/** What was merged; and what the next execution is to begin with, where the lane has more than fits into this one. */
async function mergeParts(
  input: MergeWindowsInput,
): Promise<{ counts: MergeCounts; next?: MergeWindowsInput }> {
  const { lane } = input;
  const { step, shards, tellEvery } = lane ?? { step: 1, shards: input.shard + 1, tellEvery: Infinity };
  let counts = lane?.before ?? noWindows();
  let told = counts.windows;
  let shard = input.shard;
  for (let parts = 0; shard < shards; shard += step, parts++) {
    if (lane !== undefined && (parts === partsPerHistory || workflowInfo().continueAsNewSuggested)) {
      const scope = CancellationScope.current();
      if (scope.consideredCancelled) await scope.cancelRequested;
      return { counts, next: { ...input, shard, lane: { ...lane, before: counts } } };
    }
    await mergeShard({ ...input, shard }, (more) => {
      counts = addCounts(counts, more);
      if (counts.windows % 10 === 0) setCurrentDetails(`${counts.windows} windows merged`);
      if (counts.windows < told + tellEvery) return;
      told = counts.windows;
      tellRun(input, counts);
    });
  }
  return { counts };
}

/** One word of it may be lost: each says all that there is to say. */
function tellRun({ attempt, shard, lane }: MergeWindowsInput, counts: MergeCounts): void {
  const run = workflowInfo().parent;
  if (run === undefined || lane === undefined) return;
  getExternalWorkflowHandle(run.workflowId, run.runId)
    .signal(windowsMerged, { attempt, lane: shard % lane.step, counts })
    .catch(() => undefined);
}
