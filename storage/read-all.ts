import { createHash, type Hash } from 'node:crypto';
import { FederationError, isFederationError } from '../errors/federation-error';
import { discard } from './body';
import type { BucketReader, GetOptions, ObjectBody, ObjectHead } from './bucket';
import { resolveRange } from './range';
import { storageError } from './store-failure';

/** Default maximum size of an object that is read into memory: 64 MiB. */
const defaultMaxBytes = 64 * 1024 * 1024;

export interface ReadAllOptions extends GetOptions {
  /** Maximum number of bytes to read. If there are more, STORAGE_TOO_LARGE is thrown. (Default: 64 MiB) */
  readonly maxBytes?: number;
}

export interface ReadObject {
  /** Describes the version that was read. */
  readonly head: ObjectHead;
  readonly bytes: Buffer;
}

/**
 * Reads an object, or a range of it, into memory. Throws the same errors as `get`, and STORAGE_TOO_LARGE if there are
 * more than `maxBytes`.
 */
export async function readAll(
  bucket: BucketReader,
  key: string,
  options: ReadAllOptions = {},
): Promise<ReadObject> {
  return receive(key, await bucket.get(key, options), options);
}

/** How often bytes are read at most, if they turn out to be wrong. */
export const mostReads = 4;

export interface ReadWholeOptions extends Omit<ReadAllOptions, 'range'> {
  /** SHA-256 that the object has to have. (Default: the one in its metadata, if any) */
  readonly digest?: string;
}

/**
 * Reads a whole object into memory, like `readAll`, and compares the bytes with their digest. If they differ, the bytes
 * may have changed on the way, so reads the object again. Throws STORAGE_CORRUPT if they differ every time.
 */
export async function readWhole(
  bucket: BucketReader,
  key: string,
  options: ReadWholeOptions = {},
): Promise<ReadObject> {
  for (let reads = 1; ; reads++) {
    try {
      const object = await bucket.get(key, options);
      const promised = options.digest ?? digestIn(object.head);
      const hash = promised === undefined ? undefined : createHash('sha256');
      const read = await receive(key, object, options, hash);
      if (hash?.digest('hex') === promised) return read;
      throw storageError('STORAGE_CORRUPT', key, wrongDigest);
    } catch (error) {
      if (reads === mostReads || !isFederationError(error, 'STORAGE_CORRUPT')) throw error;
    }
  }
}

const wrongDigest = 'The SHA-256 of its bytes differs from the recorded one.';

/** Returns the SHA-256 that was stored with an object; undefined if there is none, as with the agents of others. */
function digestIn({ metadata }: ObjectHead): string | undefined {
  const digest = metadata['sha256'];
  return digest !== undefined && /^[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

/** Reads the body of an object, and adds all bytes to `hash`. */
async function receive(
  key: string,
  { head, body }: ObjectBody,
  { range, maxBytes = defaultMaxBytes }: ReadAllOptions,
  hash?: Hash,
): Promise<ReadObject> {
  const { start, end } = resolveRange(key, range, head.size);
  const size = end - start;
  if (size > maxBytes) {
    await discard(body);
    throw new FederationError('STORAGE_TOO_LARGE', {
      subject: { key },
      detail: `The object has ${size} bytes, more than the limit of ${maxBytes}.`,
    });
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for await (const chunk of body) {
    hash?.update(chunk);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { head, bytes };
}
