import type { Bucket, BucketReader, ObjectInfo, Version } from './bucket';
import { checkKey } from './check-key';
import { readSide } from './read-side';
import { alreadyThere, missing } from './store-failure';

/** A write that a dry run reports instead of making it. */
export interface IntendedWrite {
  readonly verb: 'put' | 'create' | 'copy' | 'delete';
  readonly key: string;
  /** Number of bytes that would be written; undefined for a delete. */
  readonly size?: number;
}

/**
 * Wraps a bucket for a dry run: writes are reported to `intend` instead of being made. To the caller, they appear to
 * succeed, and their bodies are read to the end. A `create` of an existing object and a `copy` of a missing object
 * still fail. Objects that were "written" cannot be read back.
 */
export function dryRun(bucket: BucketReader, intend: (write: IntendedWrite) => void): Bucket {
  const done = (verb: IntendedWrite['verb'], key: string, size: number): ObjectInfo => {
    intend({ verb, key, size });
    return { key, size, modified: new Date(), version: 'dry-run' as Version };
  };
  return {
    ...readSide(bucket),
    async put(key, body) {
      checkKey(key);
      return done('put', key, await sizeOf(body));
    },
    async create(key, body, options = {}) {
      if ((await bucket.head(key, { signal: options.signal })) !== undefined) throw alreadyThere(key);
      return done('create', key, await sizeOf(body));
    },
    async copy(from, to, options) {
      checkKey(to);
      const source = await bucket.head(from, options);
      if (source === undefined) throw missing(from);
      return done('copy', to, source.size);
    },
    async delete(key) {
      checkKey(key);
      intend({ verb: 'delete', key });
    },
  };
}

async function sizeOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
  if (body instanceof Uint8Array) return body.length;
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  return size;
}
