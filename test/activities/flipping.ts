import { createHash } from 'node:crypto';
import type { Bucket, ObjectBody } from '../../storage/bucket';
import { sameMeaning } from '../etl/same-meaning';
import { overriding } from './federated-bucket';

/** A bucket in which a bit of some responses flips. */
export interface FlippingBucket {
  readonly bucket: Bucket;
  /** Flips the byte at `at` in the first `times` responses with this object. Returns how often it was read since. */
  flip(key: string, at: number, times: number): () => number;
}

export function flippingBucket(bucket: Bucket): FlippingBucket {
  let spoil = (_key: string, object: ObjectBody): ObjectBody => object;
  return {
    bucket: overriding(bucket, {
      get: async (key, options) => spoil(key, await bucket.get(key, options)),
    }),
    flip: (key, at, times) => {
      let reads = 0;
      spoil = (of, { head, body }) =>
        of === key && ++reads <= times ? { head, body: flippedBody(body, at) } : { head, body };
      return () => reads;
    },
  };
}

async function* flippedBody(body: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  yield flipped(Buffer.concat(chunks), at);
}

export function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Returns the index of a byte whose lowest bit changes a number in a file of allocations, but breaks nothing. */
export function harmlessFlip(bytes: Buffer): number {
  for (let at = bytes.length >> 1; at < bytes.length; at++) {
    try {
      if (sameMeaning('allocations', flipped(bytes, at), bytes).length > 0) return at;
    } catch {
      continue;
    }
  }
  throw new RangeError('Every flip breaks the file.');
}

/** Stores a file as a push does: with its digest. */
export function pushed(bucket: Bucket, key: string, bytes: Buffer): Promise<unknown> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return bucket.put(key, bytes, { metadata: { sha256 } });
}
