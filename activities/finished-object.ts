import { FederationError } from '../errors/federation-error';
import { readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { objectKey } from '../federation/layout';
import type { Provenance } from '../federation/provenance';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { repeatable } from '../storage/with-retry';

/**
 * Reads the provenance (the record of the sources) of a merged window. Returns undefined if the window is not finished,
 * that is, if its provenance or its merged object is missing, or if the two do not match.
 */
export async function findFinished(
  bucket: BucketReader,
  fingerprint: string,
  options: CallOptions,
): Promise<Provenance | undefined> {
  // A damaged provenance counts as missing: the window is then merged again, which rewrites its provenance.
  const provenance = await readIntact(bucket, documents.provenance.at(fingerprint), options);
  if (provenance === undefined || provenance.fingerprint !== fingerprint) return undefined;
  const object = await bucket.head(objectKey(fingerprint), options);
  return object?.size === provenance.size ? provenance : undefined;
}

/**
 * Maximum size of an object that is uploaded from memory in one request. A larger object is streamed, which may take
 * several requests.
 */
const sentWhole = 8 * 1024 * 1024;

/**
 * Writes the merged object of a window. The window does not count as finished until its provenance is written as well.
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
 * Writes the provenance of a merged window. If it exists already, it is written again, so that the clean-up does not
 * delete the window. The clean-up keeps objects that were written within the last day.
 */
export async function touchFinished(
  bucket: Bucket,
  provenance: Provenance,
  options: CallOptions,
): Promise<void> {
  await replaceDocument(bucket, documents.provenance.at(provenance.fingerprint), provenance, options);
}
