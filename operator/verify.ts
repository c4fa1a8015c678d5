import { newestGenerationNumber } from '../activities/read-generations';
import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import { newestNumber } from '../federation/damaged-generation';
import type { BucketReader } from '../storage/bucket';
import { findNewest } from './newest-generation';
import { verifyDocuments } from './verify-documents';
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
 * Verifies the newest generation that can be read, and the other documents in the bucket. Returns undefined if nothing
 * has been committed yet. If differences are found and a newer generation has been committed meanwhile, verifies the
 * newer one instead, because the commit may have caused the differences.
 */
export async function verifyNewest(
  bucket: BucketReader,
  { deep, progress }: VerifyNewestOptions,
): Promise<Verification | undefined> {
  for (;;) {
    const found = await findNewest(bucket);
    const { generation } = found;
    if (generation === undefined && found.damage.length === 0) return undefined;
    const documents = await verifyDocuments(bucket, found);
    if (generation === undefined) return { ...nothingVerified, findings: documents };
    const files = deep ? await listWindowFiles(bucket, await discoverClusters(bucket)) : undefined;
    const verified = await verifyGeneration(bucket, generation, {
      deep: files,
      onProgress: (done, of) => progress(generation.generation, done, of),
    });
    const result = { ...verified, findings: [...documents, ...verified.findings] };
    // The findings may result from a commit during the verification, because a commit publishes and removes files. So
    // if there are findings, check whether there is a newer generation.
    const was = newestNumber(found);
    const newest = result.findings.length === 0 ? was : await newestGenerationNumber(bucket);
    if (newest === was) return result;
  }
}

const nothingVerified = { generation: null, windows: 0, remerged: 0, changedSince: 0, unnamed: 0 };
