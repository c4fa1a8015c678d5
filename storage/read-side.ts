import type { BucketReader } from './bucket';

/** Returns only the read methods of a bucket. A wrapper that changes only the writes can spread this object. */
export function readSide(bucket: BucketReader): BucketReader {
  return {
    type: bucket.type,
    label: bucket.label,
    list: (prefix, options) => bucket.list(prefix, options),
    head: (key, options) => bucket.head(key, options),
    get: (key, options) => bucket.get(key, options),
    close: () => bucket.close(),
  };
}
