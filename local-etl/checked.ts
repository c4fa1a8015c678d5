import { createHash } from 'node:crypto';

/**
 * Yields the chunks of a body unchanged. Throws the error that `mismatch` returns if the size or the SHA-256 digest is
 * not as expected, at the latest at the end. The body is opened when its first chunk is requested, so a body that is
 * never read is never opened.
 */
export async function* checked(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  expected: { readonly digest: string; readonly size: number },
  mismatch: () => Error,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of await open()) {
    hash.update(chunk);
    size += chunk.length;
    if (size > expected.size) throw mismatch();
    yield chunk;
  }
  if (size !== expected.size || hash.digest('hex') !== expected.digest) throw mismatch();
}
