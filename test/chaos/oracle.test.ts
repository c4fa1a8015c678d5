import { compareTotals } from '../../chaos/api-totals';
import { type CheckedGeneration, Oracle } from '../../chaos/oracle';
import { digestOf, Truth } from '../../chaos/truth';
import type { Violation } from '../../chaos/violation';
import type { WindowId } from '../../etl/window';

const window = 'allocations/1d/1794614400-1794700800' as WindowId;
const bytes = (text: string) => Buffer.from(text);
const combined = digestOf(bytes('combined 1'));
const committed = new Date('2026-11-20T12:00:00.100Z');
const modified = new Date('2026-11-20T12:00:00.200Z');

function generation(number: number, changes: Partial<CheckedGeneration> = {}): CheckedGeneration {
  return {
    generation: number,
    run: `run-${number}`,
    federation: 'f',
    membership: { clusters: ['c1', 'c2'] } as unknown as CheckedGeneration['membership'],
    windows: { [window]: { fingerprint: 'abc', digest: digestOf(bytes(`combined ${number}`)), size: 10 } },
    quarantined: [],
    ...changes,
  };
}

/** An oracle that has seen generation 1, and clusters that have written their first files. */
function oracle(): Oracle {
  const truth = new Truth(['c1', 'c2', 'c3']);
  for (const cluster of truth.clusters) truth.wrote(cluster, window, bytes(`${cluster} 1`));
  const made = new Oracle(truth, 1);
  expect(made.sawNewest({ before: 1, generation: generation(1), committed, after: 1 })).toEqual([]);
  return made;
}

const checks = (violations: readonly Violation[]) => violations.map(({ check }) => check);

describe('the oracle finds nothing wrong with', () => {
  const good: Record<string, (one: Oracle) => Violation[]> = {
    'the same generation, or the next one': (one) => [
      ...one.sawNewest({ before: 1, generation: generation(1), committed, after: 1 }),
      ...one.sawNewest({ before: 1, generation: generation(2), committed, after: 3 }),
    ],
    'an object with its size and digest': (one) =>
      one.sawObject(generation(1), window, { digest: combined, size: 10 }),
    'a window of exactly the members': (one) => one.sawContents(generation(1), window, ['c1', 'c2']),
    'a window without a member whose source is quarantined': (one) => {
      const quarantined = [{ cluster: 'c2', window }] as unknown as CheckedGeneration['quarantined'];
      return one.sawContents(generation(1, { quarantined }), window, ['c1']);
    },
    'a published file of an earlier generation': (one) => {
      one.sawNewest({ before: 2, generation: generation(2), committed, after: 2 });
      return one.sawPublished(window, { digest: combined, modified });
    },
    'a file that its cluster has written': (one) =>
      one.sawSource('c1', window, { digest: digestOf(bytes('c1 1')) }),
    'a file of the primary that is its own, or combined': (one) => [
      ...one.sawPrimary('c1', window, { digest: digestOf(bytes('c1 1')) }),
      ...one.sawPrimary('c1', window, { digest: combined }),
    ],
  };
  test.each(Object.keys(good))('%s', (name) => expect(good[name]?.(oracle())).toEqual([]));
});

describe('the oracle notices', () => {
  const bad: Record<string, readonly [Violation['check'], (one: Oracle) => Violation[]]> = {
    'a newest generation that goes back': [
      'generation',
      (one) => {
        one.sawNewest({ before: 3, generation: generation(3), committed, after: 3 });
        return one.sawNewest({ before: 2, generation: generation(2), committed, after: 3 });
      },
    ],
    'a generation that was not the newest when it was read': [
      'generation',
      (one) => one.sawNewest({ before: 2, generation: generation(1), committed, after: 2 }),
    ],
    'a generation that was replaced': [
      'generation',
      (one) => one.sawGeneration(generation(1, { run: 'another run' }), committed),
    ],
    'a mixture: a window with a cluster that is not included': [
      'generation',
      (one) => one.sawContents(generation(1), window, ['c1', 'c2', 'c3']),
    ],
    'a mixture: a window without a cluster that is included': [
      'generation',
      (one) => one.sawContents(generation(1), window, ['c1']),
    ],
    'a lost object': ['object', (one) => one.sawObject(generation(1), window, undefined)],
    'an object of the right size with other bytes': [
      'object',
      (one) => one.sawObject(generation(1), window, { digest: digestOf(bytes('other')), size: 10 }),
    ],
    'a torn published file': [
      'published',
      (one) => one.sawPublished(window, { digest: combined, modified, torn: 'it ends too early' }),
    ],
    'a published file of no generation': [
      'published',
      (one) => one.sawPublished(window, { digest: digestOf(bytes('combined 2')), modified }),
    ],
    'a file that was published before its generation was committed': [
      'published',
      (one) => one.sawPublished(window, { digest: combined, modified: new Date(committed.getTime() - 1) }),
    ],
    'a torn source': ['source', (one) => one.sawSource('c1', window, { digest: 'x', torn: 'cut' })],
    'a source with the bytes of another cluster': [
      'source',
      (one) => one.sawSource('c1', window, { digest: digestOf(bytes('c2 1')) }),
    ],
    'a torn file of the primary': [
      'primary',
      (one) => one.sawPrimary('c1', window, { digest: 'x', torn: 'cut' }),
    ],
    'a file of the primary that nobody wrote': [
      'primary',
      (one) => one.sawPrimary('c1', window, { digest: digestOf(bytes('flipped')) }),
    ],
  };
  test.each(Object.entries(bad))('%s', (_, [check, look]) => expect(checks(look(oracle()))).toEqual([check]));
});

describe('totals', () => {
  const expected = new Map([
    ['c1', 1_000],
    ['c2', 0],
  ]);
  test('that differ by a millionth at most are equal', () =>
    expect(compareTotals('allocations', expected, new Map([['c1', 1_000.000_9]]))).toEqual([]));
  test('that differ by more, or lack a cluster, are not', () => {
    expect(compareTotals('allocations', expected, new Map([['c1', 1_000.002]]))).toHaveLength(1);
    expect(compareTotals('allocations', expected, new Map())).toHaveLength(1);
    expect(compareTotals('allocations', expected, new Map([...expected, ['c3', 1]]))).toHaveLength(1);
  });
});
