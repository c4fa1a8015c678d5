import { createHash } from 'node:crypto';

/**
 * Passes a body through. At its end, throws `mismatch` unless its size and SHA-256 digest are as expected. The body is
 * opened when its first chunk is requested, so a body that is never read is never opened.
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
