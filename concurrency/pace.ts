import { setImmediate } from 'node:timers/promises';

/** Time that a computation takes between two pauses, in milliseconds. */
const turnMs = 10;
/** Number of items that are sorted without a pause. */
const runLength = 4_096;

/**
 * Pauses a long computation again and again, so that the process can do other work meanwhile, such as to answer health
 * probes. A computation that has a signal ends at its next pause once the signal is aborted.
 */
export class Pace {
  private since = performance.now();

  constructor(private readonly signal?: AbortSignal) {}

  /** Whether it is time for a pause. Call this after each item. */
  isDue(): boolean {
    return performance.now() - this.since >= turnMs;
  }

  /** Lets the process do other work. Throws the signal's reason if the signal is aborted. */
  async pause(): Promise<void> {
    await setImmediate();
    this.signal?.throwIfAborted();
    this.since = performance.now();
  }

  /** Calls `work` for each item, with pauses. */
  async forEach<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
    for (const item of items) {
      work(item);
      if (this.isDue()) await this.pause();
    }
  }

  /** Returns what `work` makes of each item. */
  async map<Item, Result>(items: Iterable<Item>, work: (item: Item) => Result): Promise<Result[]> {
    const results: Result[] = [];
    await this.forEach(items, (item) => results.push(work(item)));
    return results;
  }

  /** Returns the items in the order of `compare`. The order of equal items does not change. */
  async sort<Item extends object>(
    items: readonly Item[],
    compare: (a: Item, b: Item) => number,
  ): Promise<Item[]> {
    const runs: Item[][] = [];
    for (let from = 0; from < items.length; from += runLength) {
      runs.push(items.slice(from, from + runLength).sort(compare));
      if (this.isDue()) await this.pause();
    }
    while (runs.length > 1) {
      const pairs = runs.splice(0);
      for (let at = 0; at < pairs.length; at += 2) {
        runs.push(await this.merge(pairs[at] ?? [], pairs[at + 1] ?? [], compare));
      }
    }
    return runs[0] ?? [];
  }

  private async merge<Item extends object>(
    first: readonly Item[],
    second: readonly Item[],
    compare: (a: Item, b: Item) => number,
  ): Promise<Item[]> {
    const merged: Item[] = [];
    let at = 0;
    await this.forEach(first, (item) => {
      for (let other = second[at]; other !== undefined && compare(other, item) < 0; other = second[at]) {
        merged.push(other);
        at++;
      }
      merged.push(item);
    });
    return merged.concat(second.slice(at));
  }

  /** Groups items, as `Map.groupBy` does. */
  async groupBy<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key): Promise<Map<Key, Item[]>> {
    const groups = new Map<Key, Item[]>();
    await this.forEach(items, (item) => {
      const key = keyOf(item);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    });
    return groups;
  }
}
