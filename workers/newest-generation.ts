import { newestGenerationNumber, readNewestGeneration } from '../activities/read-generations';
import { summarizeGeneration } from '../operator/generations';
import type { BucketReader } from '../storage/bucket';
import { everyMinute } from './every-minute';
import type { NewestGeneration } from './metrics';
import type { RoleContext } from './role';

/**
 * Keeps the metrics about the newest generation up to date. Reads the bucket every minute, so that the metrics are
 * right soon after a start, and also after a commit by another federator. Returns a function that stops these updates.
 */
export function watchNewestGeneration({ bucket, log, metrics }: RoleContext): () => void {
  const look = newestGenerationIn(bucket);
  return everyMinute(log, 'which generation is the newest', async () => {
    const newest = await look();
    if (newest !== undefined) metrics.generationFound(newest);
  });
}

/**
 * Returns a function that returns facts about the newest generation, or undefined if there is no generation. Each call
 * lists the generations, but does not read the same generation again, because it can be several megabytes.
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
