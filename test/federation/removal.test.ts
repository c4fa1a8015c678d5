import { clusterId } from '../../etl/cluster-id';
import type { Change } from '../../federation/change';
import { type MembershipInput, resolveMembership, returningClusters } from '../../federation/membership';
import { sameGeneration } from '../../federation/next-generation';
import { planFederation } from '../../federation/plan';
import { removedAfter, type RemovedClusters, sameRemoved, stillPushes } from '../../federation/removal';
import type { Version } from '../../storage/bucket';
import {
  candidates,
  dayWindow,
  file,
  generation,
  membership,
  named,
  noNames,
  out,
  quarantinedSource,
  used,
} from './made-up';

const [a, b] = [clusterId('a'), clusterId('b')];
const [one, two] = [dayWindow(1), dayWindow(2)];
const at = '2026-11-20T12:00:00Z';
const decided = { by: 'kim@host', reason: 'sold', at };

const request = (kind: 'remove' | 'restore', cluster = b) => {
  const change: Change = { kind, cluster };
  return { trigger: 'person' as const, by: decided.by, why: decided.reason, at, change };
};

const resolve = (input: Partial<MembershipInput>) =>
  resolveMembership({
    federator: 'f',
    scope: { exclude: [] },
    roster: 'r',
    exclusions: {},
    discovered: [a, b],
    removed: {},
    ...input,
  });

describe('the removed clusters', () => {
  const newest = generation({}, membership(['a', 'b']), { generation: 4 });

  test('come from the newest generation, with the decision of the request', () => {
    const removed = removedAfter(newest, request('remove'));
    expect(removed).toEqual({ b: { ...decided, lastGeneration: 4 } });
    const next = generation({}, membership(['a'], { removed }), { generation: 5 });
    expect(removedAfter(next, { trigger: 'schedule', at })).toEqual(removed);
    expect(removedAfter(next, request('restore'))).toEqual({});
    expect(removedAfter(next, request('restore', a))).toEqual(removed);
  });

  test('are removed once: the first decision stays', () => {
    const removed = { [b]: { by: 'first', reason: '', at: '2026-01-01T00:00:00Z', lastGeneration: 2 } };
    const next = generation({}, membership(['a'], { removed }), { generation: 5 });
    expect(removedAfter(next, request('remove'))).toEqual(removed);
  });

  test('name the last generation with data of the cluster, also if it was excluded before', () => {
    const excluded = { [b]: { by: 'person' as const, reason: '', lastGeneration: 2 } };
    const without = generation({}, membership(['a'], { excluded }), { generation: 5 });
    expect(removedAfter(without, request('remove'))).toMatchObject({ b: { lastGeneration: 2 } });
    expect(removedAfter(undefined, request('remove'))).toEqual({ b: decided });
  });

  test('are compared by decision, in any order', () => {
    const removed: RemovedClusters = { [a]: decided, [b]: { ...decided, lastGeneration: 4 } };
    expect(sameRemoved(removed, { [b]: { ...decided, lastGeneration: 4 }, [a]: decided })).toBe(true);
    expect(sameRemoved(removed, { [a]: decided })).toBe(false);
    expect(sameRemoved(removed, { ...removed, [b]: decided })).toBe(false);
    const base = generation({}, membership(['a']));
    const next = { ...base, membership: membership(['a'], { removed }) };
    expect(sameGeneration(base, next)).toBe(false);
  });

  test('still push if their newest file is younger than the decision', () => {
    expect(stillPushes(decided, Date.parse(at) + 1)).toBe(true);
    expect(stillPushes(decided, Date.parse(at))).toBe(false);
    expect(stillPushes(decided, 0)).toBe(false);
  });
});

describe('the membership', () => {
  const removed = { [b]: { ...decided, lastGeneration: 4 } };
  const without = { generation: 5, membership: membership(['a'], { removed }) };

  test('ignores a removed cluster, whatever else is said about it', () => {
    const base = { generation: 4, membership: membership(['a', 'b']) };
    for (const input of [{ base }, { base: without }, { base, exclusions: { b: out } }, {}]) {
      expect(resolve({ removed, ...input })).toMatchObject({ clusters: ['a'], excluded: {}, removed });
    }
  });

  test('brings a restored cluster back, even if its folder is gone', () => {
    const back = resolve({ base: without, discovered: [a] });
    expect(back).toMatchObject({ clusters: ['a', 'b'], removed: {} });
    expect(returningClusters(back, without.membership)).toEqual(new Map([[b, 4]]));
  });

  test('keeps the history of a restored cluster that is still excluded', () => {
    const back = resolve({ base: without, exclusions: { b: out } });
    expect(back).toMatchObject({ clusters: ['a'], excluded: { b: { by: 'person', lastGeneration: 4 } } });
  });
});

describe('a plan', () => {
  const full = generation({ [one]: [used('a'), used('b')], [two]: [used('b')] }, membership(['a', 'b']), {
    quarantined: [quarantinedSource('b', two, { kept: 'k1' as Version })],
  });
  const removed = { [b]: { ...decided, lastGeneration: 1 } };
  const gone = membership(['a'], { removed });
  const input = { lastGenerations: new Map(), request: {}, names: noNames, now: 0 };

  test('takes a removed cluster out of every window, with what is quarantined of it', () => {
    const plan = planFederation({
      ...input,
      base: full,
      membership: gone,
      candidates: candidates([file('a', one)]),
    });
    expect(plan.windows).toMatchObject([
      { window: one, candidate: named(one, used('a')) },
      { window: two, sources: [] },
    ]);
    expect(plan.quarantined).toEqual([]);
  });

  test('gives a restored cluster its old windows back, while the last generation with them exists', () => {
    const base = generation({ [one]: [used('a')] }, gone, { generation: 2 });
    const restored = {
      ...input,
      base,
      membership: membership(['a', 'b']),
      candidates: candidates([file('a', one), file('b', one)]),
    };
    expect(planFederation({ ...restored, lastGenerations: new Map([[1, full]]) }).windows).toMatchObject([
      { window: one, candidate: full.windows[one]?.fingerprint },
      { window: two, returning: { b: full.windows[two]?.fingerprint } },
    ]);
    expect(planFederation(restored).windows).toMatchObject([
      { window: one, candidate: named(one, used('a'), used('b')) },
    ]);
  });
});
