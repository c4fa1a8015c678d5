import { count, counts, describeSourcesToSee } from '../../federation/count';

test('a number is given with its noun, in the singular for 1', () => {
  expect([0, 1, 2].map((number) => count(number, 'quarantined source'))).toEqual([
    '0 quarantined sources',
    '1 quarantined source',
    '2 quarantined sources',
  ]);
});

test('numbers that are 0 are omitted', () => {
  expect(counts({ window: 0, file: 1, notice: 0, row: 3 })).toBe('1 file, 3 rows');
  expect(describeSourcesToSee({ quarantined: 1, shrunk: 2 })).toBe('1 quarantined source, 2 shrunk sources');
  expect(describeSourcesToSee({ quarantined: 0, shrunk: 0 })).toBe('');
});
