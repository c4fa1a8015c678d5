import { day, generationsToKeep, unreferencedObjects } from '../../federation/retention';

const now = new Date('2026-11-20T12:00:00Z');
const ago = (days: number) => new Date(now.getTime() - days * day);

test.each<[string, number[], number, number[]]>([
  ['none', [], 10, []],
  ['the newest, however old', [100], 0, [1]],
  ['at least the configured number', [100, 99, 98], 2, [2, 3]],
  ['all of 24 hours', [0.9, 0.5, 0.1, 0], 1, [1, 2, 3, 4]],
  ['the last of each day for 30 days', [31.1, 29.4, 29.3, 3.2, 3.1, 0], 1, [3, 5, 6]],
])('generations: %s', (_, ages, atLeast, expected) => {
  const generations = ages.map((age, index) => ({ generation: index + 1, modified: ago(age) }));
  const keep = generationsToKeep({
    generations,
    excluded: {},
    removed: {},
    held: new Set<number>(),
    atLeast,
    now,
  });
  expect([...keep].sort((a, b) => a - b)).toEqual(expected);
});

test('generations: the last one that included an excluded cluster, if it still exists', () => {
  const generations = [90, 80, 70].map((age, index) => ({ generation: index + 5, modified: ago(age) }));
  const excluded = {
    a: { by: 'person' as const, reason: '', lastGeneration: 5 },
    b: { by: 'settings' as const, reason: '', lastGeneration: 1 },
    c: { by: 'settings' as const, reason: '' },
  };
  const input = { generations, excluded, removed: {}, held: new Set<number>(), atLeast: 1, now };
  expect([...generationsToKeep(input)].sort()).toEqual([5, 7]);
});

test('generations: the last one that included a removed cluster, for 30 days after the removal', () => {
  const generations = [90, 80, 70].map((age, index) => ({ generation: index + 1, modified: ago(age) }));
  const decided = (days: number, lastGeneration: number) => ({
    by: 'kim@host',
    reason: '',
    at: ago(days).toISOString(),
    lastGeneration,
  });
  const removed = { a: decided(30.1, 1), b: decided(29.9, 2) };
  expect(
    [...generationsToKeep({ generations, excluded: {}, removed, held: new Set(), atLeast: 1, now })].sort(),
  ).toEqual([2, 3]);
});

test.each([
  ['named', { referenced: true, seen: 9, modified: 9 }, 'forgotten'],
  ['found for the first time', { referenced: false, seen: undefined, modified: 9 }, 'remembered'],
  ['found less than a day ago', { referenced: false, seen: 0.9, modified: 9 }, 'remembered'],
  ['written less than a day ago', { referenced: false, seen: 9, modified: 0.9 }, 'remembered'],
  ['found and written a day ago', { referenced: false, seen: 1, modified: 1 }, 'removed'],
] as const)('an object that is %s', (_, { referenced, seen, modified }, expected) => {
  const result = unreferencedObjects({
    objects: [{ key: 'k', modified: ago(modified) }],
    isReferenced: () => referenced,
    seen: seen === undefined ? {} : { k: ago(seen).toISOString() },
    now,
  });
  expect(result.remove).toEqual(expected === 'removed' ? ['k'] : []);
  expect(Object.keys(result.seen)).toEqual(expected === 'remembered' ? ['k'] : []);
});
