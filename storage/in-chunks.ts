export interface Chunk {
  readonly parts: readonly Uint8Array[];
  /** Total number of bytes in `parts`. */
  readonly length: number;
  readonly isLast: boolean;
}

/**
 * Splits a body into chunks of exactly `size` bytes; only the last chunk may be shorter. An empty body yields one empty
 * chunk. Otherwise, no chunk is empty.
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
