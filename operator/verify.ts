import { newestGenerationNumber, readNewestGeneration } from '../activities/read-generations';
import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import type { BucketReader } from '../storage/bucket';
import { type Verification, verifyGeneration } from './verify-generation';

export interface VerifyNewestOptions {
  /**
   * Whether to also repeat the merges whose sources have not changed, and compare the results with the merged objects.
   */
  readonly deep: boolean;
  /** Called after each window has been checked. `of` is the number of windows to check. */
  readonly progress: (generation: number, done: number, of: number) => void;
}

/**
 * Verifies the newest generation; returns undefined if there is none. If differences are found and a newer generation
 * has been committed meanwhile, verifies the newer one instead, because the commit may have caused the differences.
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
    // The findings may result from a commit during the verification, because a commit publishes and removes files. So
    // if there are findings, check whether there is a newer generation.
    const newest =
      result.findings.length === 0 ? generation.generation : await newestGenerationNumber(bucket);
    if (newest === generation.generation) return result;
  }
}
