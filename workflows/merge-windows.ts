import { setCurrentDetails } from '@temporalio/workflow';
import { asRunFailure } from './failure';
import { mergeShard, type MergeShardInput, type ShardSummary } from './merge-shard';

/** A batch of windows of one federation, where the run has more than fit well into one history. */
export async function mergeWindows(input: MergeShardInput): Promise<ShardSummary> {
  try {
    let merged = 0;
    return await mergeShard(input, () => {
      merged += 1;
      if (merged % 10 === 0) setCurrentDetails(`${merged} windows merged`);
    });
  } catch (error) {
    throw asRunFailure(error);
  }
}
