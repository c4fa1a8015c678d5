import { mapConcurrently } from '../concurrency/map-concurrently';
import { listGenerations, readGeneration } from '../activities/read-generations';
import type { Generation } from '../federation/generation';
import type { BucketReader } from '../storage/bucket';

/** The newest generations, the newest first. */
export async function readNewestGenerations(bucket: BucketReader, limit: number): Promise<Generation[]> {
  const newest = (await listGenerations(bucket)).reverse().slice(0, limit);
  // A generation of many windows is megabytes large.
  const read = await mapConcurrently(newest, 4, ({ generation }) => readGeneration(bucket, generation));
  // Undefined: cleaned up since it was listed.
  return read.filter((generation) => generation !== undefined);
}

/** The size of all merged windows that a generation names, in bytes. */
export function generationSize({ windows }: Generation): number {
  return Object.values(windows).reduce((sum, { size }) => sum + size, 0);
}
