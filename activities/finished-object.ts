import { FederationError, isFederationError } from '../errors/federation-error';
import { type Provenance, provenanceSchema } from '../federation/provenance';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { objectKey, provenanceKey } from '../federation/layout';
import { readJson, writeJson } from '../storage/read-all';
import { repeatable } from '../storage/with-retry';

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

/** An object of so many bytes or fewer is sent from memory: in one request, where a stream may take several. */
const sentWhole = 8 * 1024 * 1024;

/**
 * Writes a merged window; it is finished when its provenance is written behind it.
 *
 * @param chunks gives its bytes; again from the start when it is gone through again
 */
export async function writeObject(
  bucket: Bucket,
  fingerprint: string,
  size: number,
  chunks: () => AsyncIterable<Uint8Array>,
  options: CallOptions,
): Promise<void> {
  const body = size > sentWhole ? repeatable(chunks) : await gather(chunks());
  const written = await bucket.put(objectKey(fingerprint), body, options);
  if (written.size === size) return;
  throw new FederationError('STORAGE_CORRUPT', {
    subject: { key: objectKey(fingerprint) },
    detail: `Of a merged window of ${size} bytes ${written.size} were written.`,
  });
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const gathered: Uint8Array[] = [];
  for await (const chunk of chunks) gathered.push(chunk);
  return Buffer.concat(gathered);
}

/** Writes the provenance: the first time, or again as it is, since the clean-up spares what was written in the last day. */
export async function touchFinished(
  bucket: Bucket,
  provenance: Provenance,
  options: CallOptions,
): Promise<void> {
  await writeJson(bucket, provenanceKey(provenance.fingerprint), provenance, options);
}
