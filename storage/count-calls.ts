import { AsyncLocalStorage } from 'node:async_hooks';
import type { StorageCall } from './with-metrics';

/** Number of calls to a store, by verb. A listing counts as one call per page. */
export type CallCounts = Record<StorageCall['verb'], number>;

const counting = new AsyncLocalStorage<CallCounts>();

/**
 * Runs `work` and counts the store calls made within its async context, so concurrent work is counted separately. Only
 * calls that are reported to `countCall` are counted. Calls for which `work` does not wait still change the counts
 * after `work` has ended.
 */
export async function countCalls<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly calls: CallCounts }> {
  const calls: CallCounts = { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0 };
  return { result: await counting.run(calls, work), calls };
}

/**
 * Adds a call to the counts of the work that made it; pass this function to `withMetrics`. Calls outside of
 * `countCalls` are not counted.
 */
export function countCall({ verb, pages = 1 }: Pick<StorageCall, 'verb' | 'pages'>): void {
  const calls = counting.getStore();
  if (calls !== undefined) calls[verb] += pages;
}
