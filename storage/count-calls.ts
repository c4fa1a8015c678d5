import { AsyncLocalStorage } from 'node:async_hooks';
import type { StorageCall } from './with-metrics';

/** Number of calls to a store by verb; each page of a listing counts. */
export type CallCounts = Record<StorageCall['verb'], number>;

const counting = new AsyncLocalStorage<CallCounts>();

/**
 * Runs `work` and counts the store calls made within its async context; concurrent work is counted separately. Only calls
 * reported to `countCall` count. Counting continues for calls that `work` did not wait for.
 */
export async function countCalls<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly calls: CallCounts }> {
  const calls: CallCounts = { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0 };
  return { result: await counting.run(calls, work), calls };
}

/** Counts a call for the work that made it; pass it to `withMetrics`. Calls outside any work are not counted. */
export function countCall({ verb, pages = 1 }: Pick<StorageCall, 'verb' | 'pages'>): void {
  const calls = counting.getStore();
  if (calls !== undefined) calls[verb] += pages;
}
