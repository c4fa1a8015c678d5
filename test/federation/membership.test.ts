import { clusterId } from '../../etl/cluster-id';
import {
  type MembershipInput,
  type MembershipRules,
  resolveMembership,
  sameMembership,
} from '../../federation/membership';
import { membership, out } from './made-up';

const resolve = (input: Partial<MembershipInput>) =>
  resolveMembership({
    federator: 'f',
    scope: { exclude: [] },
    roster: 'r',
    exclusions: {},
    removed: {},
    discovered: ['c', 'a', 'b'].map(clusterId),
    ...input,
  });

test.each<[string, Partial<MembershipInput>, string[], Record<string, string>]>([
  ['all clusters found', {}, ['a', 'b', 'c'], {}],
  ['settings exclude', { scope: { exclude: ['b'] } }, ['a', 'c'], { b: 'settings' }],
  [
    'settings include',
    { scope: { include: ['b', 'z'], exclude: [] } },
    ['b'],
    { a: 'settings', c: 'settings' },
  ],
  ['the roster excludes', { exclusions: { c: out, z: out } }, ['a', 'b'], { c: 'person' }],
  [
    'the roster cannot include',
    { scope: { include: ['a'], exclude: [] }, exclusions: { a: out } },
    [],
    { a: 'person', b: 'settings', c: 'settings' },
  ],
  [
    'a member whose folder is gone',
    { discovered: [clusterId('a')], base: { generation: 3, membership: membership(['a', 'b']) } },
    ['a', 'b'],
    {},
  ],
])('%s', (_, input, clusters, excluded) => {
  const result = resolve(input);
  expect(result.clusters).toEqual(clusters);
  expect(
    Object.fromEntries(Object.entries(result.excluded).map(([cluster, { by }]) => [cluster, by])),
  ).toEqual(excluded);
});

test('the newest generation that included a cluster is remembered while it is excluded', () => {
  const first = resolve({
    exclusions: { b: out },
    base: { generation: 3, membership: membership(['a', 'b', 'c']) },
  });
  expect(first.excluded).toMatchObject({ b: { lastGeneration: 3 } });
  const second = resolve({
    discovered: [clusterId('a')],
    exclusions: { b: out },
    base: { generation: 4, membership: first },
  });
  expect(second.excluded).toMatchObject({ b: { lastGeneration: 3 } });
  const never = resolve({ exclusions: { b: out }, base: { generation: 3, membership: membership(['a']) } });
  expect(never.excluded[clusterId('b')]).not.toHaveProperty('lastGeneration');
});

test('membership is the same for equal settings and roster, in any order', () => {
  const rules = {
    scope: { include: ['a', 'b'], exclude: ['x', 'y'], cutoff: '2026-01-01T00:00:00Z' },
    exclusions: { c: out, d: out },
  };
  expect(
    sameMembership(rules, {
      scope: { ...rules.scope, include: ['b', 'a'], exclude: ['y', 'x'] },
      exclusions: { d: out, c: out },
    }),
  ).toBe(true);
  const others: MembershipRules[] = [
    { ...rules, scope: { ...rules.scope, include: undefined } },
    { ...rules, scope: { ...rules.scope, exclude: [] } },
    { ...rules, scope: { ...rules.scope, cutoff: undefined } },
    { ...rules, exclusions: { c: out } },
    { ...rules, exclusions: { c: out, e: out } },
  ];
  for (const other of others) expect(sameMembership(rules, other)).toBe(false);
  const reworded = { at: '2026-11-21T00:00:00Z', reason: 'another' };
  expect(sameMembership(rules, { ...rules, exclusions: { c: out, d: reworded } })).toBe(true);
});
