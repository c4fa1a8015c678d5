/**
 * Works on the items, so many at a time. After a failure nothing new is begun, and it is thrown when everything begun
 * has ended: nobody works on behind the caller's back.
 */
export async function concurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async () => {
    while (failures.length === 0) {
      try {
        const next = await queue.next();
        if (next.done === true) return;
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await queue.return?.();
  if (failures.length > 0) throw failures[0];
}
