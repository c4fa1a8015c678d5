import { createHash } from 'node:crypto';

/**
 * Passes a body on and throws, at its end, unless its bytes are the expected ones. It is opened when its first bytes are
 * asked for, so that none stays open that nobody reads.
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
