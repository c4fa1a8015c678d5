/** The operations of a bucket, named as in `storage/bucket.ts`. */
const storeVerbs = ['list', 'head', 'get', 'put', 'create', 'copy', 'delete'] as const;

/** Number of calls to a store, by operation. Each failed attempt and each page of a listing counts as a call. */
export type StoreCalls = Record<(typeof storeVerbs)[number], number>;

/** Returns a count of 0 for every operation. */
export function noCalls(): StoreCalls {
  return { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0 };
}

/** Adds two counts, operation by operation. */
export function addCalls(one: StoreCalls, other: StoreCalls): StoreCalls {
  const sum = noCalls();
  for (const verb of storeVerbs) sum[verb] = one[verb] + other[verb];
  return sum;
}
