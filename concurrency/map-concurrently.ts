import pMap from 'p-map';

/**
 * Calls `work` for each item, with at most `limit` calls at the same time. Returns the results in the order of the
 * items.
 *
 * If `work` fails, or the iterator of the items fails, this function starts no more calls, waits for the calls in
 * progress, and then throws the first error. So no call is still running when the returned promise settles. `p-map`
 * alone would not wait for the calls in progress.
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
    // End the iteration. If the iterator is still reading the next item, this waits until it has finished.
    await source.return(undefined);
  }
}

async function* generate<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Awaited<Item>, void, undefined> {
  for await (const item of items) yield item;
}
