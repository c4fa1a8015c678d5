import { AsyncLocalStorage } from 'node:async_hooks';
import type { StorageCall } from './with-metrics';

/** How often each verb was asked of a store; of listings each page. */
export type CallCounts = Record<StorageCall['verb'], number>;

const counting = new AsyncLocalStorage<CallCounts>();

/**
 * Does the work and counts what it asks of a store meanwhile, however deep inside; work beside it counts for itself. The
 * store is one of which `countCall` is told. The counts go on while calls that the work did not wait for end.
 */
export async function countCalls<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly calls: CallCounts }> {
  const calls: CallCounts = { list: 0, head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0 };
  return { result: await counting.run(calls, work), calls };
}

/** Counts a call for the work that made it; to be told by `withMetrics`. One that belongs to no work is not counted. */
export function countCall({ verb, pages = 1 }: Pick<StorageCall, 'verb' | 'pages'>): void {
  const calls = counting.getStore();
  if (calls !== undefined) calls[verb] += pages;
}
