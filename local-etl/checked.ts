import { createHash } from 'node:crypto';

/**
 * Yields the chunks of a body unchanged, and verifies the body's size and SHA-256 digest. If one of them differs from
 * `expected`, throws the error that `mismatch` returns, at the latest after the last chunk. Calls `open` when the first
 * chunk is requested. So a body that is never read is never opened.
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
