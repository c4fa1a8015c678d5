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
 * Verifies the newest generation; returns undefined if there is none. If a newer one was committed meanwhile, a finding
 * may be due to that commit, so the newer one is verified instead.
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
    // A commit during the verification publishes other files and cleans up old ones. Compared with the older
    // generation, that looks like damage.
    const newest =
      result.findings.length === 0 ? generation.generation : await newestGenerationNumber(bucket);
    if (newest === generation.generation) return result;
  }
}
