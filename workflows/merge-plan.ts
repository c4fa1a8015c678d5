import { CancellationScope, executeChild } from '@temporalio/workflow';
import type { PlanSummary } from '../activities/plan-federation';
import { addCounts, type MergeCounts, noWindows } from './merge-counts';
import { mergeShard, type MergeShardInput } from './merge-shard';
import { mergeWindows, type MergeWindowsInput } from './merge-windows';

export interface MergePlanInput extends Omit<MergeShardInput, 'parallel' | 'shard'> {
  /** Maximum number of windows merged at once in the whole plan. (Default: 64) */
  readonly parallel?: number;
}

/**
 * Called with the current counts of a lane. A lane is a child workflow that merges part of the plan. Windows that the
 * run merges without a child are reported as lane 0.
 */
type Tell = (lane: number, soFar: MergeCounts) => void;

/**
 * Default for the maximum number of windows merged at once. It is high enough to keep several federators busy, each
 * with four windows per core. It is limited because a workflow with thousands of pending activities would get stuck.
 */
const windowsAtOnce = 64;
/**
 * Maximum number of child workflows (lanes) that share the work of a plan. While one lane waits for the last window of
 * a shard, the other lanes keep the workers busy.
 */
const mostLanes = 4;
/**
 * Maximum number of progress signals that all lanes together send to the run. Without a limit, the history of the run
 * would grow with the size of the plan.
 */
const mostReports = 100;

/**
 * Merges all windows of a plan. A plan is divided into shards of up to 50 windows. Usually there is only one shard. The
 * run merges it without a child workflow, so that the merges are visible in the run itself. If there are more shards,
 * they are distributed among child workflows (lanes). If one lane fails, all others are cancelled and its error is
 * thrown.
 */
export async function mergePlan(input: MergePlanInput, plan: PlanSummary, tell: Tell): Promise<void> {
  if (plan.planned === 0) return;
  const { shards } = plan;
  const parallel = input.parallel ?? windowsAtOnce;
  if (shards === 1) return mergeHere({ ...input, parallel, shard: 0 }, tell);
  const lanes = Math.min(mostLanes, shards, parallel);
  const reportEvery = Math.ceil(plan.planned / mostReports);
  // Cancels all lanes if one fails. Half a plan cannot be committed, so the other lanes would only delay the failure.
  const scope = new CancellationScope();
  await scope.run(async () => {
    const merging = Array.from({ length: lanes }, (_, shard) =>
      mergeInChild(
        {
          ...input,
          shard,
          parallel: Math.floor(parallel / lanes),
          lane: { step: lanes, shards, reportEvery },
        },
        `${Math.ceil((shards - shard) / lanes)} of ${shards} shards`,
      ).then((counts) => tell(shard, counts)),
    );
    try {
      await Promise.all(merging);
    } catch (error) {
      scope.cancel();
      await Promise.allSettled(merging);
      throw error;
    }
  });
}

/** Merges a plan that has only one shard. Does not start a child workflow. */
async function mergeHere(input: MergeShardInput, tell: Tell): Promise<void> {
  let counts = noWindows();
  await mergeShard(input, (more) => {
    counts = addCounts(counts, more);
    tell(0, counts);
  });
}

function mergeInChild(input: MergeWindowsInput, summary: string): Promise<MergeCounts> {
  return executeChild(mergeWindows, {
    workflowId: `${input.run}/windows-${input.shard}`,
    args: [input],
    staticSummary: summary,
    workflowRunTimeout: '6h',
  });
}
