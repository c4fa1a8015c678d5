import { isFederationError } from '../errors/federation-error';
import { type Provenance, provenanceSchema } from '../federation/provenance';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { objectKey, provenanceKey } from '../storage/layout';
import { readJson, writeJson } from '../storage/read-all';

/** Provenance grows with the clusters, and with what does not stand in an object as it came. */
const largestProvenance = 2 ** 29;

/** The provenance of a merged window that is finished: both objects are there and fit each other. Else undefined. */
export async function findFinished(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance | undefined> {
  const provenance = await readProvenance(bucket, fingerprint, options);
  if (provenance === undefined || provenance.fingerprint !== fingerprint) return undefined;
  const object = await bucket.head(objectKey(fingerprint), options);
  return object?.size === provenance.size ? provenance : undefined;
}

async function readProvenance(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance | undefined> {
  try {
    const limit = { ...options, maxBytes: largestProvenance };
    return await readJson(bucket, provenanceKey(fingerprint), provenanceSchema, limit);
  } catch (error) {
    // Damaged is as good as missing: the window is merged, and both are written, again.
    if (isFederationError(error, 'STORAGE_CORRUPT')) return undefined;
    throw error;
  }
}

/** Writes a merged window: the object first, then the provenance that says it is finished. */
export async function writeFinished(
  bucket: Bucket,
  bytes: Uint8Array,
  provenance: Provenance,
  options: CallOptions,
): Promise<void> {
  const { fingerprint, digest } = provenance;
  await bucket.put(objectKey(fingerprint), bytes, { ...options, metadata: { sha256: digest } });
  await touchFinished(bucket, provenance, options);
}

/** Writes the provenance again, as it is: the clean-up spares what was written in the last day. */
export async function touchFinished(
  bucket: Bucket,
  provenance: Provenance,
  options: CallOptions,
): Promise<void> {
  await writeJson(bucket, provenanceKey(provenance.fingerprint), provenance, options);
}
