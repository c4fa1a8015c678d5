import { ReadAhead } from '../../activities/read-ahead';

const mega = 1024 * 1024;

/**
 * Returns `count` items of `bytes` bytes each. `begun` lists the index of each item whose read has started. A read ends
 * when the test calls the method `let` of the item.
 */
function readables(count: number, bytes: number) {
  const begun: number[] = [];
  const all = Array.from({ length: count }, (_, index) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const read = () => {
      begun.push(index);
      return promise;
    };
    return { bytes, read, let: () => resolve(index) };
  });
  return { all, begun };
}

test('reads some items ahead, and more as they are taken', async () => {
  const { all, begun } = readables(20, 1);
  const ahead = new ReadAhead(all);
  const first = ahead.take(0);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  all.forEach((one) => one.let());
  expect(await first).toBe(0);
  expect(begun).toHaveLength(9);
  for (let index = 1; index < 20; index++) expect(await ahead.take(index)).toBe(index);
  expect(begun).toEqual(all.map((_, index) => index));
});

test('reads no further ahead than memory allows, but always at least one', async () => {
  const { all, begun } = readables(6, 6 * mega);
  const ahead = new ReadAhead(all);
  void ahead.take(0);
  expect(begun).toEqual([0, 1]);
  const large = readables(3, 100 * mega);
  void new ReadAhead(large.all).take(0);
  expect(large.begun).toEqual([0]);
});

test('can be iterated again', async () => {
  const { all, begun } = readables(3, 1);
  all.forEach((one) => one.let());
  const ahead = new ReadAhead(all);
  expect([await ahead.take(0), await ahead.take(1)]).toEqual([0, 1]);
  expect([await ahead.take(0), await ahead.take(1), await ahead.take(2)]).toEqual([0, 1, 2]);
  expect(begun).toEqual([0, 1, 2, 0, 1, 2]);
});

test('an error is thrown in order', async () => {
  const bad = { bytes: 1, read: () => Promise.reject(new Error('no')) };
  const good = { bytes: 1, read: () => Promise.resolve('yes') };
  const ahead = new ReadAhead([good, bad]);
  expect(await ahead.take(0)).toBe('yes');
  await expect(ahead.take(1)).rejects.toThrow('no');
});
