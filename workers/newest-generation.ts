import { newestGenerationNumber, readNewestGeneration } from '../activities/read-generations';
import { summarizeGeneration } from '../operator/generations';
import type { BucketReader } from '../storage/bucket';
import { everyMinute } from './every-minute';
import type { NewestGeneration } from './metrics';
import type { RoleContext } from './role';

/**
 * Keeps the metrics about the newest generation up to date. They are then right soon after a start, and whichever
 * federator has committed. Returns a function that stops this.
 */
export function watchNewestGeneration({ bucket, log, metrics }: RoleContext): () => void {
  const look = newestGenerationIn(bucket);
  return everyMinute(log, 'which generation is the newest', async () => {
    const newest = await look();
    if (newest !== undefined) metrics.generationFound(newest);
  });
}

/**
 * Returns a function that returns the facts about the newest generation; undefined if there is none. It only lists the
 * generations, unless there is a new one: a generation with many windows takes up megabytes.
 */
export function newestGenerationIn(bucket: BucketReader): () => Promise<NewestGeneration | undefined> {
  let last: NewestGeneration | undefined;
  return async () => {
    const number = await newestGenerationNumber(bucket);
    if (last?.generation === number) return last;
    const generation = await readNewestGeneration(bucket);
    if (generation === undefined) return (last = undefined);
    const { hold, ...summary } = summarizeGeneration(generation);
    return (last = { ...summary, onHold: hold !== undefined });
  };
}
