import { AsyncLocalStorage } from 'node:async_hooks';
import type { StorageCall } from './with-metrics';

/**
 * Number of calls to a store, by operation, and number of bytes that these calls read and wrote. A listing counts as
 * one call per page. A copy counts no bytes, because the store itself copies them.
 */
export type CallCounts = Record<StorageCall['verb'] | 'bytesRead' | 'bytesWritten', number>;

const counting = new AsyncLocalStorage<CallCounts>();

/**
 * Runs `work`, and returns its result and the number of store calls that it made. Only calls that are reported to
 * `countCall` are counted. Concurrent uses of `countCalls` have separate counts, because the counts belong to the async
 * context of `work`. A call that `work` did not wait for is added to the returned counts when it ends.
 */
export async function countCalls<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly calls: CallCounts }> {
  const calls: CallCounts = {
    list: 0,
    head: 0,
    get: 0,
    put: 0,
    create: 0,
    copy: 0,
    delete: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };
  return { result: await counting.run(calls, work), calls };
}

/**
 * Counts one store call. Pass this function to `withMetrics`. If the call was made in the `work` of a `countCalls`, it
 * is added to the counts of that `countCalls`. Otherwise it is not counted.
 */
export function countCall({
  verb,
  pages = 1,
  bytes = 0,
}: Pick<StorageCall, 'verb' | 'pages' | 'bytes'>): void {
  const calls = counting.getStore();
  if (calls === undefined) return;
  calls[verb] += pages;
  if (verb === 'get') calls.bytesRead += bytes;
  if (verb === 'put' || verb === 'create') calls.bytesWritten += bytes;
}
