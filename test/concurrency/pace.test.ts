import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { Pace } from '../../concurrency/pace';

/** Does what takes a while, so that a pause is due. */
function work(): void {
  for (const until = performance.now() + 12; performance.now() < until;);
}

/** Counts how often other work of the process is done while `computation` runs. */
async function turnsDuring(computation: Promise<unknown>): Promise<number> {
  let turns = 0;
  let ended = false;
  void computation.finally(() => (ended = true));
  while (!ended) {
    await setImmediate();
    turns++;
  }
  return turns;
}

it.each<[string, (pace: Pace) => Promise<unknown>]>([
  ['forEach', (pace) => pace.forEach([1, 2, 3, 4, 5], work)],
  ['map', (pace) => pace.map([1, 2, 3, 4, 5], work)],
  ['groupBy', (pace) => pace.groupBy([1, 2, 3, 4, 5], work)],
  [
    'sort',
    (pace) => {
      const items = Array.from({ length: 20_000 }, (_, index) => ({ index }));
      let compared = 0;
      return pace.sort(items, (a, b) => {
        if (++compared % 10_000 === 0) work();
        return b.index - a.index;
      });
    },
  ],
])('lets the process do other work during %s', async (_, compute) => {
  expect(await turnsDuring(compute(new Pace()))).toBeGreaterThan(4);
});

it('ends at its next pause once the signal is aborted', async () => {
  const gone = new AbortController();
  const seen: number[] = [];
  const counting = new Pace(gone.signal).forEach([1, 2, 3], (item) => {
    seen.push(item);
    gone.abort(new Error('gone'));
    work();
  });
  await expect(counting).rejects.toThrow('gone');
  expect(seen).toEqual([1]);
});

it('sorts as Array.sort does, and groups as Map.groupBy does', async () => {
  const lists = fc.array(fc.record({ key: fc.integer({ min: 0, max: 9 }) }), { maxLength: 20 });
  const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 0, max: 9_000 }), async (some, count) => {
      const items = [...some, ...Array.from({ length: count }, (_, index) => ({ key: (index * 7) % 10 }))];
      const sorted = await new Pace().sort(items, compare);
      const expected = [...items].sort(compare);
      expect(sorted.every((item, index) => item === expected[index])).toBe(true);
      expect(sorted).toHaveLength(items.length);
      expect(await new Pace().groupBy(items, ({ key }) => key)).toEqual(Map.groupBy(items, ({ key }) => key));
    }),
    { numRuns: 20, seed: 20261130 },
  );
});
