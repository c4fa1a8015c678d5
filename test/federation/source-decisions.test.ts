import { clusterId } from '../../etl/cluster-id';
import { parseWindowId, windowId } from '../../etl/window';
import type { QuarantinedSource } from '../../federation/generation';
import { changes, decideSources, selects, type SourceChange } from '../../federation/source-decisions';
import type { Version } from '../../storage/bucket';
import { measureWith } from '../etl/build-records';
import { dayWindow, decided, generation, membership, quarantinedSource } from './made-up';

const [one, two] = [dayWindow(1), dayWindow(2)];
const emptied = quarantinedSource('b', one, { code: 'SOURCE_EMPTIED', kept: 'k1' as Version });
const vanished = quarantinedSource('b', two, { code: 'SOURCE_VANISHED', seen: 'absent' });
const corrupt = quarantinedSource('b', dayWindow(3));
const other = quarantinedSource('a', one, { code: 'SOURCE_EMPTIED' });

const about = (kind: SourceChange['kind'], more: Partial<SourceChange> = {}): SourceChange => ({
  kind,
  cluster: clusterId('b'),
  generation: 1,
  ...more,
});

const quarantining = (...quarantined: QuarantinedSource[]) =>
  generation({}, membership(['a', 'b']), { quarantined });

test('a decision selects by cluster, pipeline and windows', () => {
  const ref = parseWindowId(one);
  if (ref === undefined) throw new TypeError('That is a window.');
  const assets = quarantinedSource('b', windowId({ ...ref, pipeline: 'assets' }));
  const selected = (change: Partial<SourceChange>) =>
    [emptied, vanished, assets, other].filter((source) => selects(about('drop', change), source));
  expect(selected({})).toEqual([emptied, vanished, assets]);
  expect(selected({ pipeline: 'assets' })).toEqual([assets]);
  expect(selected({ windows: ref.window })).toEqual([emptied, assets]);
  expect(selected({ windows: { start: ref.window.end, end: ref.window.end + 1 } })).toEqual([vanished]);
});

test('accepted sources move to the list of those', () => {
  const base = quarantining(emptied, vanished, corrupt, other);
  const { base: after, sources, outdated } = decideSources(base, base, about('accept'), decided);
  expect({ sources, outdated }).toMatchObject({ sources: [emptied, vanished], outdated: 0 });
  expect(after.quarantined).toEqual([corrupt, other]);
  expect(after.accepted).toEqual([
    { cluster: 'b', window: one, seen: 'bad', code: 'SOURCE_EMPTIED', decided },
    { cluster: 'b', window: two, seen: 'absent', code: 'SOURCE_VANISHED', decided },
  ]);
});

test('dropped sources stay where they are, with who and why', () => {
  const base = quarantining(emptied, corrupt, other);
  const { base: after, sources } = decideSources(base, base, about('drop'), decided);
  expect(sources).toMatchObject([emptied, corrupt]);
  expect(after.quarantined).toEqual([
    other,
    { ...emptied, dropped: decided },
    { ...corrupt, dropped: decided },
  ]);
  expect(after.accepted).toEqual([]);
});

test('a version that the person has not seen is not affected', () => {
  const replaced = { ...emptied, seen: 'worse' as Version };
  const base = quarantining(replaced, vanished);
  for (const kind of ['accept', 'drop'] as const) {
    const {
      base: after,
      sources,
      outdated,
    } = decideSources(base, quarantining(emptied, vanished), about(kind), decided);
    expect({ sources, outdated }).toMatchObject({ sources: [vanished], outdated: 1 });
    expect(after.quarantined).toContainEqual(replaced);
  }
});

test('a decision that was made already is not made again, but a dropped source can be accepted', () => {
  const dropped = { ...emptied, dropped: { ...decided, by: 'bob@host' } };
  const base = quarantining(dropped);
  expect(decideSources(base, quarantining(emptied), about('drop'), decided)).toMatchObject({
    base: { quarantined: [dropped] },
    sources: [],
    outdated: 0,
  });
  expect(decideSources(base, base, about('accept'), decided).base).toMatchObject({
    quarantined: [],
    accepted: [{ window: one, decided }],
  });
  expect(changes(about('accept'), { ...corrupt, state: 'refused' })).toBe(false);
});

test('accepting takes back a drop also of a source that cannot be merged', () => {
  const taken = quarantinedSource('b', two, { code: 'CLUSTER_NAME_TAKEN', names: ['a'] });
  const base = quarantining({ ...corrupt, dropped: decided }, { ...taken, dropped: decided }, emptied);
  const { base: after, sources, windows } = decideSources(base, base, about('accept'), decided);
  expect(after.quarantined).toEqual([corrupt, taken]);
  expect(after.accepted).toMatchObject([{ window: one, code: 'SOURCE_EMPTIED' }]);
  expect(sources).toHaveLength(3);
  expect([...windows]).toEqual([one]);
});

describe('a source that shrank in a young window', () => {
  const measures = { largest: measureWith(45), now: measureWith(2) };
  const seen = 'short' as Version;
  const named = { cluster: clusterId('b'), window: two, seen, ...measures, closed: false };
  const base = generation({}, membership(['a', 'b']), {
    shrunk: [named, { ...named, window: one, closed: true }, { ...named, cluster: clusterId('a') }],
  });

  test('is no longer listed as shrunk once it is accepted', () => {
    const { base: after, sources, windows } = decideSources(base, base, about('accept'), decided);
    expect(sources).toMatchObject([
      { window: two, state: 'shrunk', detail: 'The file has shrunk: records 45 → 2.' },
    ]);
    expect(after.shrunk).toEqual(base.shrunk.slice(1));
    expect(after.accepted).toEqual([{ cluster: 'b', window: two, seen, code: 'SOURCE_SHRUNK', decided }]);
    expect([...windows]).toEqual([two]);
  });

  test('cannot be dropped, as it is merged', () => {
    expect(decideSources(base, base, about('drop'), decided)).toMatchObject({ sources: [], base });
  });
});
