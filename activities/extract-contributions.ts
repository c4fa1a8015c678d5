import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { largestWindow } from '../etl/largest-window';
import type { Pipeline } from '../etl/window';
import { objectKey } from '../federation/layout';
import type { Provenance } from '../federation/provenance';
import type { BucketReader } from '../storage/bucket';
import { readWhole } from '../storage/read-all';
import type { MergeThreads } from './threads/merge-threads';

/** A cluster's own file, restored from a merged object. */
export interface ExtractedFile {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export interface ExtractContext {
  readonly bucket: BucketReader;
  readonly threads: MergeThreads;
  readonly pipeline: Pipeline;
  readonly signal: AbortSignal;
}

/**
 * Restores the files of some clusters from a merged object.
 *
 * @throws GENERATION_UNREADABLE if the object is damaged or missing, or does not contain the contribution of one of the
 *   clusters
 */
export async function extractContributions(
  { bucket, threads, pipeline, signal }: ExtractContext,
  from: Provenance,
  clusters: readonly ClusterId[],
): Promise<Map<ClusterId, ExtractedFile>> {
  const key = objectKey(from.fingerprint);
  const unreadable = (detail: string) =>
    new FederationError('GENERATION_UNREADABLE', { subject: { key }, detail });
  const contributions = clusters.map((cluster) => {
    const found = from.sources.find((source) => source.cluster === cluster)?.contribution;
    if (found === undefined) throw unreadable(`It has no contribution of ${cluster}.`);
    return found;
  });
  const reading = { signal, maxBytes: largestWindow, digest: from.digest };
  const { bytes } = await readWhole(bucket, key, reading).catch((error: unknown) => {
    throw isFederationError(error, 'STORAGE_CORRUPT') ? unreadable(error.detail) : error;
  });
  const answer = await threads.extract({ pipeline, bytes, contributions }, signal);
  if (answer.damaged !== undefined) throw unreadable(answer.damaged);
  const files = new Map<ClusterId, ExtractedFile>();
  for (const [index, cluster] of clusters.entries()) {
    const file = answer.files[index];
    if (file === undefined) throw new TypeError('Fewer contributions were returned than requested.');
    files.set(cluster, file);
  }
  return files;
}
