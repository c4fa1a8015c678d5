import pMap from 'p-map';

/**
 * Calls `work` for each item, at most `limit` at a time, and returns the results in the items' order.
 *
 * After a failure of `work` or of the iterator no further call starts; the calls in progress are awaited, then the
 * first error is thrown. So nothing runs on after the returned promise has settled. `p-map` alone would not wait.
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
    // Waits for a pending read of the next item.
    await source.return(undefined);
  }
}

async function* generate<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Awaited<Item>, void, undefined> {
  for await (const item of items) yield item;
}
