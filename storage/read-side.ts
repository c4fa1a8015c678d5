import type { BucketReader } from './bucket';

/** A bucket's reading as it is, to be spread into a bucket around it whose writing is another. */
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
