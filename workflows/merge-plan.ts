import { CancellationScope, executeChild } from '@temporalio/workflow';
import type { PlanSummary } from '../activities/plan-federation';
import { addCounts, type MergeCounts, noWindows } from './merge-counts';
import { mergeShard, type MergeShardInput } from './merge-shard';
import { mergeWindows, type MergeWindowsInput } from './merge-windows';

export interface MergePlanInput extends Omit<MergeShardInput, 'parallel' | 'shard'> {
  /** Number of windows merged at once, over the whole plan. (Default: 64) */
  readonly parallel?: number;
}

/** Receives the running total of a lane. Windows that the run merges itself are reported as lane 0. */
type Tell = (lane: number, soFar: MergeCounts) => void;

/**
 * Default number of windows merged at once. It is enough to keep several federators busy, each with four windows per
 * core. Queued windows cost nothing, but a run with thousands of pending activities would never progress.
 */
const windowsAtOnce = 64;
/**
 * Maximum number of child workflows that share the shards of a plan. There are four so that, while one child waits for
 * its last window, the others keep the workers busy.
 */
const mostLanes = 4;
/**
 * Maximum number of progress signals from all lanes together, so that the run's history does not grow with its plan.
 */
const mostReports = 100;

/**
 * Merges all windows of a plan. A plan usually has one shard, which is merged in the run itself, where people look
 * first. The shards of a larger plan are divided among child workflows, the lanes. The first failure ends all lanes and
 * is thrown.
 */
export async function mergePlan(input: MergePlanInput, plan: PlanSummary, tell: Tell): Promise<void> {
  if (plan.planned === 0) return;
  const { shards } = plan;
  const parallel = input.parallel ?? windowsAtOnce;
  if (shards === 1) return mergeHere({ ...input, parallel, shard: 0 }, tell);
  const lanes = Math.min(mostLanes, shards, parallel);
  const reportEvery = Math.ceil(plan.planned / mostReports);
  // Ends all lanes when one fails. Half a plan cannot be committed, so the others would only delay the end of the run.
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

/** Merges the only shard of a plan in the run itself. */
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
