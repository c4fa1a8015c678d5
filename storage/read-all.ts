import { FederationError } from '../errors/federation-error';
import { discard } from './body';
import type { BucketReader, GetOptions, ObjectInfo } from './bucket';
import { resolveRange } from './range';

/** Default maximum size of an object that is read into memory: 64 MiB. */
const defaultMaxBytes = 64 * 1024 * 1024;

export interface ReadAllOptions extends GetOptions {
  /** Maximum number of bytes to read. If there are more, STORAGE_TOO_LARGE is thrown. (Default: 64 MiB) */
  readonly maxBytes?: number;
}

/**
 * Reads an object, or a range of it, into memory. `head` describes the version that was read. Throws the same errors as
 * `get`, and STORAGE_TOO_LARGE if there are more than `maxBytes`.
 */
export async function readAll(
  bucket: BucketReader,
  key: string,
  { maxBytes = defaultMaxBytes, ...options }: ReadAllOptions = {},
): Promise<{ head: ObjectInfo; bytes: Buffer }> {
  const { head, body } = await bucket.get(key, options);
  const { start, end } = resolveRange(key, options.range, head.size);
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
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { head, bytes };
}
