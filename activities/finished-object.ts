import { FederationError } from '../errors/federation-error';
import { readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Provenance } from '../federation/provenance';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { objectKey } from '../federation/layout';
import { repeatable } from '../storage/with-retry';

/** The provenance of a merged window that is finished: both objects are there and fit each other. Else undefined. */
export async function findFinished(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance | undefined> {
  // A damaged one counts as missing: the window is merged again, and both objects are written again.
  const provenance = await readIntact(bucket, documents.provenance.at(fingerprint), options);
  if (provenance === undefined || provenance.fingerprint !== fingerprint) return undefined;
  const object = await bucket.head(objectKey(fingerprint), options);
  return object?.size === provenance.size ? provenance : undefined;
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
  await replaceDocument(bucket, documents.provenance.at(provenance.fingerprint), provenance, options);
}
