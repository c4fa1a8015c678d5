import type { Bucket, BucketReader, ObjectInfo, Version } from './bucket';
import { checkKey } from './check-key';
import { storageError } from './store-failure';

/** A write that would have been made. */
export interface IntendedWrite {
  readonly verb: 'put' | 'create' | 'copy' | 'delete';
  readonly key: string;
  /** In bytes; of a delete nothing. */
  readonly size?: number;
}

/**
 * A bucket that is only read: what would be written is told to `intend` instead, and looks done to the caller. A body is
 * read to its end, a `create` of what exists and a `copy` of what does not are refused as they would be; but what was
 * "written" cannot be read back.
 */
export function dryRun(bucket: BucketReader, intend: (write: IntendedWrite) => void): Bucket {
  const done = (verb: IntendedWrite['verb'], key: string, size: number): ObjectInfo => {
    intend({ verb, key, size });
    return { key, size, modified: new Date(), version: 'dry-run' as Version };
  };
  return {
    type: bucket.type,
    label: bucket.label,
    list: (prefix, options) => bucket.list(prefix, options),
    head: (key, options) => bucket.head(key, options),
    get: (key, options) => bucket.get(key, options),
    async put(key, body) {
      checkKey(key);
      return done('put', key, await sizeOf(body));
    },
    async create(key, body, options = {}) {
      if ((await bucket.head(key, { signal: options.signal })) !== undefined)
        throw storageError('STORAGE_PRECONDITION_FAILED', key, 'There is an object of this key already.');
      return done('create', key, await sizeOf(body));
    },
    async copy(from, to, options) {
      checkKey(to);
      const source = await bucket.head(from, options);
      if (source !== undefined) return done('copy', to, source.size);
      throw storageError('STORAGE_NOT_FOUND', from, 'There is no object of this key.');
    },
    async delete(key) {
      checkKey(key);
      intend({ verb: 'delete', key });
    },
    close: () => bucket.close(),
  };
}

async function sizeOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
  if (body instanceof Uint8Array) return body.length;
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  return size;
}
