import { conflictWith } from '../../federation/conflict';
import type { Membership } from '../../federation/membership';
import { membership, out } from './made-up';

const theirs = membership(['a', 'b'], { federator: 'theirs', roster: 'one' });
const newest = { generation: 7, membership: theirs };
const own = (more: Partial<Membership> = {}) =>
  membership(['a'], { federator: 'own', roster: 'one', exclusions: { b: out }, ...more });

test('the own roster may have changed since the newest generation', () => {
  expect(conflictWith(newest, own(), undefined)).toBeUndefined();
});

test('the exclusions of another roster are a conflict if they differ', () => {
  expect(conflictWith(newest, own({ roster: 'two' }), undefined)).toBe('exclusions');
  expect(conflictWith(newest, own({ roster: 'two', exclusions: {} }), undefined)).toBeUndefined();
});

test('a roster that was started again may change what the lost one had excluded', () => {
  const mine = own({ roster: 'two' });
  expect(conflictWith(newest, mine, { generation: 7, roster: 'one' })).toBeUndefined();
  expect(conflictWith(newest, mine, { generation: 7, roster: 'zero' })).toBe('exclusions');
  // `mine` took over the exclusions of generation 6, but the newest generation, 7, has other exclusions.
  expect(conflictWith(newest, mine, { generation: 6, roster: 'one' })).toBe('exclusions');
});

test('other settings are a conflict, even with the same roster', () => {
  const scope = { exclude: ['c'] };
  expect(conflictWith(newest, own({ scope }), undefined)).toBe('settings');
  expect(conflictWith(newest, own({ scope, roster: 'two' }), undefined)).toBe('settings');
});

test('a federator never conflicts with itself', () => {
  const mine = own({ federator: 'theirs', roster: 'two', scope: { exclude: ['c'] } });
  expect(conflictWith(newest, mine, undefined)).toBeUndefined();
});
