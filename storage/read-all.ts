import { FederationError } from '../errors/federation-error';
import { discard } from './body';
import type { BucketReader, GetOptions, ObjectInfo } from './bucket';
import { resolveRange } from './range';

/** What is read whole without a limit of its own: 64 MiB. */
const defaultMaxBytes = 64 * 1024 * 1024;

export interface ReadAllOptions extends GetOptions {
  /** STORAGE_TOO_LARGE above it; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/** An object's bytes, or those of the range, in memory as a whole, and of exactly the state that `head` describes. Throws as `get` does. */
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
      detail: `The object has ${size} bytes; at most ${maxBytes} are read at once here.`,
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
