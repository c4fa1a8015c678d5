/** The verbs of a bucket, as `storage/bucket.ts` has them. */
const storeVerbs = ['list', 'head', 'get', 'put', 'create', 'copy', 'delete'] as const;

/** Calls to a store by verb. Failed attempts count, and each page of a listing counts. */
export type StoreCalls = Record<(typeof storeVerbs)[number], number>;

/** Zero of each. */
export function noCalls(): StoreCalls {
  return { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0 };
}

/** The sum, verb by verb. */
export function addCalls(one: StoreCalls, other: StoreCalls): StoreCalls {
  const sum = noCalls();
  for (const verb of storeVerbs) sum[verb] = one[verb] + other[verb];
  return sum;
}
