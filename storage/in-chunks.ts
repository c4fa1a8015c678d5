export interface Chunk {
  readonly parts: readonly Uint8Array[];
  /** Number of bytes in all `parts` together. */
  readonly length: number;
  readonly isLast: boolean;
}

/**
 * Splits a body into chunks of exactly `size` bytes, except that the last chunk may be shorter. An empty body yields one
 * empty chunk; otherwise no chunk is empty.
 */
export async function* inChunks(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Chunk> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    for (let rest = piece; rest.length > 0;) {
      if (length === size) {
        yield { parts, length, isLast: false };
        parts = [];
        length = 0;
      }
      const taken = rest.subarray(0, size - length);
      parts.push(taken);
      length += taken.length;
      rest = rest.subarray(taken.length);
    }
  }
  yield { parts, length, isLast: true };
}
