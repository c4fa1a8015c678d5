import pMap from 'p-map';

/**
 * Calls `work` for each item, at most `limit` at a time, and returns the results in the items' order.
 *
 * After `work` or the iterator has failed, no further call starts. The calls in progress are awaited, then the first
 * error is thrown, so no call is still running when the returned promise settles. `p-map` alone would not wait for
 * them.
 */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const source = generate(items);
  const running = new Set<Promise<Result>>();
  const track = (item: Awaited<Item>, index: number) => {
    const result = work(item, index);
    running.add(result);
    return result.finally(() => running.delete(result));
  };
  try {
    return await pMap(source, track, { concurrency: limit });
  } finally {
    await Promise.allSettled(running);
    // Also waits until a pending read of the next item has ended.
    await source.return(undefined);
  }
}

async function* generate<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Awaited<Item>, void, undefined> {
  for await (const item of items) yield item;
}
