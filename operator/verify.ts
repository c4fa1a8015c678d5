import { newestGenerationNumber, readNewestGeneration } from '../activities/read-generations';
import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import type { BucketReader } from '../storage/bucket';
import { type Verification, verifyGeneration } from './verify-generation';

export interface VerifyNewestOptions {
  /** Whether to repeat the merges whose sources have not changed, and compare the results. */
  readonly deep: boolean;
  /** Called after each window. */
  readonly progress: (generation: number, done: number, of: number) => void;
}

/**
 * Verifies the newest generation; returns undefined before the first. If a newer one is committed meanwhile, it
 * verifies that one.
 */
export async function verifyNewest(
  bucket: BucketReader,
  { deep, progress }: VerifyNewestOptions,
): Promise<Verification | undefined> {
  for (;;) {
    const generation = await readNewestGeneration(bucket);
    if (generation === undefined) return undefined;
    const files = deep ? await listWindowFiles(bucket, await discoverClusters(bucket)) : undefined;
    const result = await verifyGeneration(bucket, generation, {
      deep: files,
      onProgress: (done, of) => progress(generation.generation, done, of),
    });
    // A commit during the verification publishes other files and cleans up old ones, which looks like damage.
    const newest =
      result.findings.length === 0 ? generation.generation : await newestGenerationNumber(bucket);
    if (newest === generation.generation) return result;
  }
}
