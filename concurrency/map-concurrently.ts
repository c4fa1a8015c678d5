import pMap from 'p-map';

/**
 * Calls `work` for each item, at most `limit` at a time, and returns the results in the order of the items.
 *
 * After `work` or the iterator has failed, starts no further call, waits for the calls in progress, and then throws the
 * first error. So no call is still running when the returned promise settles. `p-map` alone would not wait for them.
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
    // Ends the iteration. If the next item is still being read, this waits for it.
    await source.return(undefined);
  }
}

async function* generate<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Awaited<Item>, void, undefined> {
  for await (const item of items) yield item;
}
