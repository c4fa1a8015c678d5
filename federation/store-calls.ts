/** The operations of a bucket, named as in `storage/bucket.ts`. */
type StoreVerb = 'list' | 'head' | 'get' | 'put' | 'create' | 'copy' | 'delete';

/**
 * Number of calls to a store, by operation, and number of bytes in the bodies that these calls read and wrote. Each
 * failed attempt and each page of a listing counts as a call.
 */
export type StoreCalls = Record<StoreVerb | 'bytesRead' | 'bytesWritten', number>;

/** Returns counts of 0. */
export function noCalls(): StoreCalls {
  return { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0, bytesRead: 0, bytesWritten: 0 };
}

/** Adds two counts, number by number. */
export function addCalls(one: StoreCalls, other: StoreCalls): StoreCalls {
  const sum = noCalls();
  for (const name of Object.keys(sum) as (keyof StoreCalls)[]) sum[name] = one[name] + other[name];
  return sum;
}
