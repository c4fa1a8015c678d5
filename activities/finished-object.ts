import { FederationError } from '../errors/federation-error';
import { readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { objectKey } from '../federation/layout';
import type { Provenance } from '../federation/provenance';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { repeatable } from '../storage/with-retry';

/**
 * Reads the provenance of a finished merged window. Returns undefined unless both the provenance and the merged object
 * exist and match each other.
 */
export async function findFinished(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance | undefined> {
  // Treat a damaged provenance as missing: the window is then merged again, and both objects are rewritten.
  const provenance = await readIntact(bucket, documents.provenance.at(fingerprint), options);
  if (provenance === undefined || provenance.fingerprint !== fingerprint) return undefined;
  const object = await bucket.head(objectKey(fingerprint), options);
  return object?.size === provenance.size ? provenance : undefined;
}

/** Objects up to this size are sent from memory in one request. Sending a stream may take several requests. */
const sentWhole = 8 * 1024 * 1024;

/**
 * Writes the object of a merged window. The window is finished only when its provenance is written, too.
 *
 * @param chunks returns the bytes of the object; every call starts at the beginning
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
    detail: `The merged window has ${size} bytes, but ${written.size} were written.`,
  });
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const gathered: Uint8Array[] = [];
  for await (const chunk of chunks) gathered.push(chunk);
  return Buffer.concat(gathered);
}

/**
 * Writes the provenance of a merged window. If it exists, rewrites it unchanged, so that the clean-up spares the
 * window: it does not delete what was written within the last day.
 */
export async function touchFinished(
  bucket: Bucket,
  provenance: Provenance,
  options: CallOptions,
): Promise<void> {
  await replaceDocument(bucket, documents.provenance.at(provenance.fingerprint), provenance, options);
}
