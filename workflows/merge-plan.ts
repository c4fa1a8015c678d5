import { CancellationScope, executeChild, patched } from '@temporalio/workflow';
import type { PlanSummary } from '../activities/plan-federation';
import { inLanes } from './lanes';
import { addCounts, noWindows, type MergeCounts } from './merge-counts';
import { mergeShard, type MergeShardInput } from './merge-shard';
import { mergeWindows, type MergeWindowsInput } from './merge-windows';

export interface MergePlanInput extends Omit<MergeShardInput, 'parallel' | 'shard'> {
  /** Windows of the whole plan that are merged at once. (Default: 64) */
  readonly parallel?: number;
}

/** Is told what a lane did so far; what the run merges itself is lane 0. */
type Tell = (lane: number, soFar: MergeCounts) => void;

/**
 * Enough to keep several federators busy, of which each takes four for each core. What waits in the queue costs nothing. A run with thousands of pending activities, on the other hand, would never move again.
 */
const windowsAtOnce = 64;
/** Children among which the parts of a plan are divided: so many that one which waits for its last window idles nobody. */
const mostLanes = 4;
/** So often, at most, all lanes together tell the run how far they are: its history must not grow with its plan. */
const mostTellings = 100;

/**
 * Merges all windows of a plan. One part, as most plans are, is merged in the run itself, where everybody looks first;
 * more are divided among lanes, which are children. The first failure ends all lanes and is thrown.
 */
export async function mergePlan(input: MergePlanInput, plan: PlanSummary, tell: Tell): Promise<void> {
  if (plan.planned === 0) return;
  if (!patched('lanes')) return mergePlanBeforeLanes(input, plan, tell);
  const shards = shardsOf(plan);
  const parallel = input.parallel ?? windowsAtOnce;
  if (shards === 1) return mergeHere({ ...input, parallel }, 1, tell);
  const lanes = Math.min(mostLanes, shards, parallel);
  const tellEvery = Math.ceil(plan.planned / mostTellings);
  // Half of a plan is worth nothing, so lanes that go on would only keep the run from its end.
  const scope = new CancellationScope();
  await scope.run(async () => {
    const merging = Array.from({ length: lanes }, (_, shard) =>
      mergeInChild(
        { ...input, shard, parallel: Math.floor(parallel / lanes), lane: { step: lanes, shards, tellEvery } },
        `${Math.ceil((shards - shard) / lanes)} of ${shards} parts`,
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

/** Merges parts in the run itself, one after another. */
async function mergeHere(
  input: MergePlanInput & { readonly parallel: number },
  shards: number,
  tell: Tell,
): Promise<void> {
  let counts = noWindows();
  for (let shard = 0; shard < shards; shard++) {
    await mergeShard({ ...input, shard }, (more) => {
      counts = addCounts(counts, more);
      tell(0, counts);
    });
  }
}

function mergeInChild(input: MergeWindowsInput, summary: string): Promise<MergeCounts> {
  return executeChild(mergeWindows, {
    workflowId: `${input.run}/windows-${input.shard}`,
    args: [input],
    staticSummary: summary,
    workflowRunTimeout: '6h',
  });
}

/** Runs of older versions have each part of their plan by itself. */
function shardsOf({ shards }: PlanSummary): number {
  return typeof shards === 'number' ? shards : (shards as readonly unknown[]).length;
}

/** What runs that were planned by an older version go on with: up to four parts themselves, of more each in a child. */
async function mergePlanBeforeLanes(input: MergePlanInput, plan: PlanSummary, tell: Tell): Promise<void> {
  const parts = plan.shards as unknown as readonly { readonly shard: number; readonly windows: number }[];
  const parallel = input.parallel ?? 8;
  if (parts.length <= 4) return mergeHere({ ...input, parallel }, parts.length, tell);
  await inLanes(parts, 2, async ({ shard, windows }) => {
    const summary: Partial<MergeCounts> = await mergeInChild(
      { ...input, shard, parallel },
      `${windows} windows`,
    );
    tell(shard, addCounts(noWindows(), { ...summary, windows }));
  });
}
