import { clusterId } from '../../etl/cluster-id';
import { openQuarantined } from '../../federation/generation';
import { nextGeneration, sameGeneration } from '../../federation/next-generation';
import { inShards, type PlannedWindow } from '../../federation/plan-document';
import { shorten } from '../../federation/run';
import type { Version } from '../../storage/bucket';
import {
  acceptedSource,
  dayWindow,
  decided,
  generation,
  membership,
  quarantinedSource,
  used,
} from './made-up';

const [one, two, three] = [dayWindow(1), dayWindow(2), dayWindow(3)];
const base = generation({ [one]: [used('a')], [two]: [used('a')] }, membership(['a', 'b']));
const plan = {
  federation: 'f-1',
  number: 2,
  membership: membership(['a', 'b']),
  removed: [],
  quarantined: [],
  accepted: [],
  shrunk: [],
  notices: [],
  writers: {},
  names: {},
  nameConflicts: {},
};
const merged = { fingerprint: 'e'.repeat(64), digest: 'd'.repeat(64), size: 2 };
const now = new Date('2026-11-20T12:00:00Z');

test('planned windows are added or removed, the others stay', () => {
  const results = [
    { window: one, quarantined: [], accepted: [acceptedSource('b', one)], names: [], shrunk: [] },
    {
      window: three,
      merged,
      quarantined: [quarantinedSource('b', three)],
      accepted: [],
      names: [],
      shrunk: [],
    },
  ];
  const next = nextGeneration({ base, plan, results, run: 'run-2', program: '0.1.0', now });
  expect(Object.keys(next.windows)).toEqual([two, three]);
  expect(next).toMatchObject({
    generation: 2,
    parent: { generation: 1, run: 'run-1' },
    run: 'run-2',
    committedAt: now.toISOString(),
    quarantined: [{ cluster: 'b' }],
    accepted: [{ cluster: 'b', window: one }],
  });
  expect(sameGeneration(base, next)).toBe(false);
});

test('a generation with equal content is equal, from any federator and in any order', () => {
  const next = nextGeneration({
    base,
    plan: { ...plan, membership: { ...membership(['a', 'b']), federator: 'other' } },
    results: [],
    run: 'x',
    program: '0.2.0',
    now,
  });
  expect(sameGeneration(base, next)).toBe(true);
  expect(
    sameGeneration({ ...base, windows: Object.fromEntries(Object.entries(base.windows).reverse()) }, next),
  ).toBe(true);
  expect(sameGeneration(base, { ...next, quarantined: [quarantinedSource('b', one)] })).toBe(false);
  expect(sameGeneration(base, { ...next, accepted: [acceptedSource('b', one)] })).toBe(false);
  expect(sameGeneration(base, { ...next, membership: membership(['a']) })).toBe(false);
  expect(sameGeneration(base, { ...next, mergeRevision: 999 })).toBe(false);
  expect(sameGeneration(base, { ...next, federation: 'f-2' })).toBe(false);
});

test('a generation records the newer one that it replaces, and a hold, and is committed for either alone', () => {
  const replaces = { generation: 4, run: 'run-4' };
  const hold = { generation: 1, by: 'ann@host', reason: 'too low', at: now.toISOString() };
  const input = { base, results: [], run: 'run-5', program: '0.1.0', now };
  const replacing = nextGeneration({ ...input, plan: { ...plan, number: 5, replaces } });
  const holding = nextGeneration({ ...input, plan: { ...plan, hold } });
  expect(replacing).toMatchObject({ generation: 5, parent: { generation: 1 }, replaces });
  expect(holding).toMatchObject({ hold });
  expect(sameGeneration(base, replacing)).toBe(false);
  expect(sameGeneration(base, holding)).toBe(false);
  expect(sameGeneration(holding, nextGeneration({ ...input, plan }))).toBe(false);
  expect(nextGeneration({ ...input, plan })).not.toHaveProperty('hold');
});

test('only quarantined sources of included clusters that nobody has dropped make a run partial', () => {
  const quarantined = [
    quarantinedSource('a', one),
    quarantinedSource('gone', one),
    quarantinedSource('a', two, { dropped: decided }),
  ];
  expect(openQuarantined({ membership: membership(['a']), quarantined })).toEqual([quarantined[0]]);
});

test('a plan is divided into parts that fit into payloads and memory', () => {
  const window = (sources: number): PlannedWindow => ({
    window: one,
    candidate: '',
    sources: Array.from({ length: sources }, () => ({
      cluster: clusterId('a'),
      seen: 'v' as Version,
      decision: 'used',
      size: 1,
    })),
    returning: {},
    quarantined: [],
    accepted: [],
    shrunk: [],
    force: false,
    fromBase: false,
  });
  const sizes = (windows: PlannedWindow[]) => inShards(windows).map((shard) => shard.length);
  expect(sizes([])).toEqual([]);
  expect(sizes(Array.from({ length: 120 }, () => window(1)))).toEqual([50, 50, 20]);
  expect(sizes(Array.from({ length: 50 }, () => window(1_000)))).toEqual([20, 20, 10]);
  expect(sizes([window(50_000), window(1)])).toEqual([1, 1]);
});

test('a list of ids is truncated to the size of a payload', () => {
  expect(shorten(['a', 'b'])).toEqual({ count: 2, ids: ['a', 'b'] });
  expect(shorten(Array.from({ length: 1_000 }, () => 'cluster')).ids).toHaveLength(50);
  expect(shorten(Array.from({ length: 1_000 }, () => 'c'.repeat(253))).ids).toHaveLength(15);
});
