import fc from 'fast-check';
import type { ListedFile } from '../../federation/candidates';
import type { Generation } from '../../federation/generation';
import { planFederation, type PlanInput } from '../../federation/plan';
import type { Version } from '../../storage/bucket';
import {
  acceptedSource,
  candidates,
  dayWindow,
  decided,
  file,
  generation,
  membership,
  named,
  noNames,
  out,
  quarantinedSource,
  used,
} from './made-up';

const [one, two] = [dayWindow(1), dayWindow(2)];
const both = membership(['a', 'b']);
const day = 86_400;

interface Given extends Partial<Omit<PlanInput, 'candidates'>> {
  readonly files?: readonly ListedFile[];
}

function plan({ files = [], ...input }: Given) {
  return planFederation({
    membership: both,
    candidates: candidates(files),
    lastGenerations: new Map(),
    request: {},
    names: noNames,
    now: 0,
    ...input,
  });
}

/** Makes a plan and returns the ids of the windows to merge. */
function planned(input: Given): string[] {
  return plan(input).windows.map((window) => window.window);
}

const base = generation({ [one]: [used('a'), used('b')], [two]: [used('a')] }, both);
const same = [file('a', one), file('b', one), file('a', two)];

interface Row {
  name: string;
  input: Given;
  planned: string[];
  carried?: string[];
}

const rows: Row[] = [
  { name: 'no base: everything that is listed', input: { files: same }, planned: [one, two] },
  { name: 'nothing changed', input: { base, files: same }, planned: [], carried: [one, two] },
  {
    name: 'one version changed',
    input: { base, files: [file('a', one, 'v2'), ...same.slice(1)] },
    planned: [one],
    carried: [two],
  },
  {
    name: 'one cluster has an additional window',
    input: { base, files: [...same, file('b', two)] },
    planned: [two],
  },
  { name: 'a file is gone', input: { base, files: same.slice(1) }, planned: [one] },
  { name: 'all files of a window are gone', input: { base, files: same.slice(0, 2) }, planned: [two] },
  {
    name: 'a new cluster has a file',
    input: { base, membership: membership(['a', 'b', 'c']), files: [...same, file('c', one)] },
    planned: [one],
  },
  {
    name: 'a cluster is excluded',
    input: {
      base,
      membership: membership(['a'], { exclusions: { b: out } }),
      files: [file('a', one), file('a', two)],
    },
    planned: [one],
  },
  {
    name: 'a request for the first day',
    input: {
      base,
      files: [file('a', one, 'v2'), file('b', one), file('a', two, 'v2')],
      request: { windows: span(one) },
    },
    planned: [one],
    carried: [two],
  },
  {
    name: 'a request for the first day, when the membership changed',
    input: {
      base,
      membership: membership(['a', 'b', 'c']),
      files: [file('a', one, 'v2'), file('b', one), file('a', two, 'v2')],
      request: { windows: span(one) },
    },
    planned: [one, two],
  },
  {
    name: 'a request for the first day, without a base',
    input: { files: same, request: { windows: span(one) } },
    planned: [one, two],
  },
  { name: 'force', input: { base, files: same, request: { force: true } }, planned: [one, two] },
  {
    name: 'force for the first day',
    input: { base, files: same, request: { force: true, windows: span(one) } },
    planned: [one],
  },
  {
    name: 'another merge revision',
    input: {
      base: generation({ [one]: [used('a')] }, both, {
        windows: { [one]: { fingerprint: 'f'.repeat(64), digest: 'd'.repeat(64), size: 1 } },
        mergeRevision: 999,
      }),
      files: [file('a', one)],
    },
    planned: [one],
  },
];

test.each(rows)('$name', ({ input, planned: expected, carried }) => {
  const result = plan(input);
  expect(result.windows.map((window) => window.window)).toEqual(expected);
  if (carried !== undefined) expect(result.carried).toEqual(carried);
});

function span(window: string) {
  const [start = 0, end = 0] = (window.split('/')[2] ?? '').split('-').map(Number);
  return { start, end };
}

describe('the cut-off', () => {
  const cutoff = new Date(span(two).start * 1000).toISOString();
  const members = (clusters: string[], more = {}) =>
    membership(clusters, { scope: { exclude: [], cutoff }, ...more });

  test('leaves older windows alone, whether new, changed or gone', () => {
    const old = generation({ [one]: [used('a')] }, members(['a']));
    expect(
      planned({ base: old, membership: members(['a']), files: [file('a', one, 'v2'), file('a', two)] }),
    ).toEqual([two]);
    expect(plan({ base: old, membership: members(['a']), files: [file('a', two)] }).carried).toEqual([one]);
    expect(planned({ membership: members(['a']), files: [file('a', one), file('a', two)] })).toEqual([two]);
  });

  test('neither keeps an excluded cluster nor keeps out a returning one', () => {
    const old = generation({ [one]: [used('a'), used('b')] }, members(['a', 'b']));
    const excluded = { b: { by: 'person' as const, reason: '', lastGeneration: 1 } };
    const without = members(['a'], { exclusions: { b: out }, excluded });
    expect(planned({ base: old, membership: without, files: [file('a', one), file('a', two)] })).toEqual([
      one,
      two,
    ]);
    const next = generation({ [one]: [used('a')] }, without, { generation: 2 });
    const back = plan({
      base: next,
      membership: members(['a', 'b']),
      files: [file('a', one), file('b', one)],
      lastGenerations: new Map([[1, old]]),
    });
    expect(back.windows).toMatchObject([{ window: one, candidate: old.windows[one]?.fingerprint }]);
  });
});

describe('a source that the base records as bad', () => {
  const heldBase = (more = {}): Generation =>
    generation({ [one]: [used('a'), { cluster: 'b', seen: 'bad', decision: 'kept:k1' }] }, both, {
      quarantined: [quarantinedSource('b', one, { kept: 'k1' as Version, ...more })],
    });

  test('keeps its decision until it is replaced', () => {
    const result = plan({ base: heldBase(), files: [file('a', one), file('b', one, 'bad')] });
    expect(result.windows).toEqual([]);
    expect(result.quarantined).toHaveLength(1);
  });

  test('is a candidate again once it is replaced', () => {
    const result = plan({ base: heldBase(), files: [file('a', one), file('b', one, 'v2')] });
    expect(result.windows).toMatchObject([
      {
        window: one,
        candidate: named(one, used('a'), used('b', 'v2')),
        quarantined: [{ kept: 'k1' as Version }],
      },
    ]);
    expect(result.quarantined).toEqual([]);
  });

  test('is planned again if it is gone altogether', () => {
    expect(planned({ base: heldBase(), files: [file('a', one)] })).toEqual([one]);
  });

  test.each([{ force: true }, { full: true }])(
    'is planned again with %j, and with another merge revision',
    (request) => {
      const files = [file('a', one), file('b', one, 'bad')];
      const again = { window: one, sources: [{ cluster: 'a' }, { cluster: 'b', decision: 'used' }] };
      expect(plan({ base: heldBase(), files, request }).windows).toMatchObject([again]);
      expect(plan({ base: { ...heldBase(), mergeRevision: 999 }, files }).windows).toMatchObject([again]);
    },
  );

  test('refused, without a replacement, is not planned again', () => {
    const refusedBase = generation({}, both, { quarantined: [quarantinedSource('b', one)] });
    expect(planned({ base: refusedBase, files: [file('b', one, 'bad')] })).toEqual([]);
    expect(plan({ base: refusedBase, files: [file('b', one, 'bad')] }).quarantined).toHaveLength(1);
    expect(planned({ base: refusedBase, files: [file('b', one, 'v2')] })).toEqual([one]);
  });

  test('because of its digest, is read again by each run: its bytes may have changed on the way', () => {
    const code = 'STORAGE_CORRUPT';
    const files = [file('a', one), file('b', one, 'bad')];
    const refusedBase = generation({ [one]: [used('a')] }, both, {
      quarantined: [quarantinedSource('b', one, { code })],
    });
    expect(planned({ base: refusedBase, files })).toEqual([one]);
    const dropped = quarantinedSource('b', one, { code, dropped: decided });
    expect(
      planned({ base: { ...heldBase(), quarantined: [{ ...dropped, kept: 'k1' as Version }] }, files }),
    ).toEqual([]);
  });

  test('refused and gone, is no longer listed', () => {
    const refusedBase = generation({ [two]: [used('a')] }, both, {
      quarantined: [quarantinedSource('b', one)],
    });
    const result = plan({ base: refusedBase, files: [file('a', two)] });
    expect(result.windows).toEqual([]);
    expect(result.quarantined).toEqual([]);
  });

  test('absent and kept, stays kept, even if the window has nothing else', () => {
    const alone = generation({ [one]: [{ cluster: 'b', seen: 'absent', decision: 'kept:k1' }] }, both, {
      quarantined: [
        quarantinedSource('b', one, { seen: 'absent', code: 'SOURCE_VANISHED', kept: 'k1' as Version }),
      ],
    });
    const result = plan({ base: alone, files: [] });
    expect(result.windows).toEqual([]);
    expect(result.carried).toEqual([one]);
  });

  test('of an excluded cluster, stays in the list', () => {
    const excluded = { b: { by: 'person' as const, reason: '', lastGeneration: 1 } };
    const without = membership(['a'], { exclusions: { b: out }, excluded });
    const result = plan({ base: heldBase(), membership: without, files: [file('a', one)] });
    expect(result.windows).toMatchObject([
      { window: one, candidate: named(one, used('a')), quarantined: [] },
    ]);
    expect(result.quarantined).toMatchObject([{ cluster: 'b', kept: 'k1' as Version }]);
  });
});

describe('a source that a person has dropped', () => {
  const dropped = (more = {}): Generation =>
    generation({ [one]: [used('a'), { cluster: 'b', seen: 'bad', decision: 'kept:k1' }] }, both, {
      quarantined: [quarantinedSource('b', one, { kept: 'k1' as Version, dropped: decided, ...more })],
    });
  const files = [file('a', one), file('b', one, 'bad')];

  test('is not read again, whatever the request or the merge revision', () => {
    for (const request of [{}, { force: true }, { full: true }]) {
      const { windows, quarantined } = plan({ base: dropped(), files, request });
      const [again] = windows;
      expect(again?.sources[1]?.decision ?? 'kept:k1').toBe('kept:k1');
      expect(again?.quarantined ?? quarantined).toMatchObject([{ dropped: decided }]);
    }
    const changed = [file('a', one, 'v2'), file('b', one, 'bad')];
    expect(plan({ base: { ...dropped(), mergeRevision: 999 }, files: changed }).windows).toMatchObject([
      { sources: [{}, { cluster: 'b', decision: 'kept:k1' }] },
    ]);
  });

  test('is judged like any new file once it is replaced', () => {
    expect(plan({ base: dropped(), files: [file('a', one), file('b', one, 'v2')] }).windows).toMatchObject([
      { sources: [{}, { cluster: 'b', seen: 'v2', decision: 'used' }] },
    ]);
  });
});

describe('a source that a person has accepted', () => {
  const acceptedB = { cluster: 'b', seen: 'bad', decision: 'accepted' };
  const base = generation({ [one]: [used('a'), acceptedB] }, both, { accepted: [acceptedSource('b', one)] });
  const files = [file('a', one), file('b', one, 'bad')];

  test('stays accepted as long as this version is the source', () => {
    expect(plan({ base, files })).toMatchObject({ windows: [], accepted: [{ cluster: 'b' }] });
    for (const given of [
      { files: [file('a', one, 'v2'), file('b', one, 'bad')] },
      { files, request: { force: true } },
      { files: [file('a', one, 'v2'), file('b', one, 'bad')], base: { ...base, mergeRevision: 999 } },
    ]) {
      const { windows, accepted } = plan({ base, ...given });
      expect(windows).toMatchObject([{ sources: [{}, acceptedB], accepted: [{ cluster: 'b' }] }]);
      expect(accepted).toEqual([]);
    }
  });

  test('is judged like any new file once it is replaced or gone', () => {
    expect(plan({ base, files: [file('a', one), file('b', one, 'v2')] }).windows).toMatchObject([
      { sources: [{}, { cluster: 'b', seen: 'v2', decision: 'used' }] },
    ]);
    expect(plan({ base, files: [file('a', one)] }).windows).toMatchObject([{ sources: [{ cluster: 'a' }] }]);
  });

  test('as vanished, leaves the window for good, until there is a file again', () => {
    const gone = { cluster: 'b', seen: 'absent', decision: 'accepted' };
    const accepted = [
      acceptedSource('b', one, { seen: 'absent' }),
      // An operator has accepted that the only source of this window has vanished, so the generation lacks the window.
      acceptedSource('b', two, { seen: 'absent' }),
    ];
    const without = generation({ [one]: [used('a'), gone] }, both, { accepted });
    expect(plan({ base: without, files: [file('a', one)] })).toMatchObject({ windows: [], accepted });
    expect(plan({ base: without, files: [file('a', one, 'v2')] }).windows).toMatchObject([
      { sources: [{ cluster: 'a' }, gone] },
    ]);
    const back = plan({ base: without, files: [file('a', one), file('b', one), file('b', two)] });
    expect(back.windows).toMatchObject([
      { sources: [{}, { decision: 'used' }] },
      { sources: [{ seen: 'v1' }] },
    ]);
    expect(back.accepted).toEqual([]);
  });

  test('stays in the list while its cluster is excluded, and not after the retention', () => {
    const excluded = { b: { by: 'person' as const, reason: '', lastGeneration: 1 } };
    const without = membership(['a'], { exclusions: { b: out }, excluded });
    expect(plan({ base, membership: without, files: [file('a', one)] })).toMatchObject({
      windows: [{ sources: [{ cluster: 'a' }], accepted: [] }],
      accepted: [{ cluster: 'b' }],
    });
    const expiring = membership(['a', 'b'], { scope: { exclude: [], retention: { '1d': day } } });
    const later = { base: { ...base, membership: expiring }, membership: expiring, now: span(one).end + day };
    expect(plan({ ...later, files })).toMatchObject({ removed: [one], accepted: [] });
  });

  test('now, is planned even before the cut-off and outside of the requested span', () => {
    const cutoff = new Date(span(two).start * 1000).toISOString();
    const members = membership(['a', 'b'], { scope: { exclude: [], cutoff } });
    const kept = generation({ [one]: [used('a'), { ...acceptedB, decision: 'kept:k1' }] }, members, {
      accepted: [acceptedSource('b', one)],
    });
    const input = { base: kept, membership: members, files, request: { windows: span(two) } };
    expect(planned(input)).toEqual([]);
    expect(planned({ ...input, decided: new Set([one]) })).toEqual([one]);
  });
});

describe('windows that were not fully listed', () => {
  // Only windows that end after this time were listed completely. `one` ends exactly at this time, and `two` later.
  const since = span(one).end;
  const [, refused] = [dayWindow(1), dayWindow(0)];
  const known = generation({ [one]: [used('a'), used('b')], [two]: [used('a')] }, both, {
    quarantined: [quarantinedSource('b', refused ?? ''), quarantinedSource('a', two)],
  });

  test('stay unchanged, with their quarantined sources, whatever is known of them', () => {
    for (const files of [[], [file('a', one, 'v2'), file('b', refused ?? '')]]) {
      const { windows, carried, removed, quarantined } = plan({
        base: known,
        files: [...files, file('a', two, 'bad')],
        since,
      });
      expect(windows.map(({ window }) => window)).toEqual([two]);
      expect({ carried, removed }).toEqual({ carried: [one], removed: [] });
      expect(quarantined.map(({ window }) => window)).toEqual([refused]);
    }
  });

  test('are removed once they are older than the retention', () => {
    const scope = { exclude: [], retention: { '1d': day } };
    const members = membership(['a', 'b'], { scope });
    const input = { base: { ...known, membership: members }, membership: members, now: since + day };
    expect(plan({ ...input, files: [file('a', two)], since })).toMatchObject({
      removed: [one],
      quarantined: [{ window: two }],
    });
  });
});

describe('a returning cluster', () => {
  const excluded = { b: { by: 'person' as const, reason: '', lastGeneration: 1 } };
  const without = membership(['a'], { exclusions: { b: out }, excluded });
  const now = generation({ [one]: [used('a')], [two]: [used('a')] }, without, { generation: 2 });

  test('has its previous fingerprints again', () => {
    const result = plan({
      base: now,
      files: [...same, file('b', two)],
      lastGenerations: new Map([[1, base]]),
    });
    expect(result.windows).toMatchObject([
      { window: one, candidate: base.windows[one]?.fingerprint },
      { window: two },
    ]);
  });

  test('is planned in every window of the generation that last included it, even if its file is gone', () => {
    const result = plan({
      base: now,
      files: [file('a', one), file('a', two)],
      lastGenerations: new Map([[1, base]]),
    });
    expect(result.windows).toMatchObject([
      { window: one, returning: { b: base.windows[one]?.fingerprint } },
      { window: two, returning: { b: base.windows[two]?.fingerprint } },
    ]);
  });
});

describe('several files of one window', () => {
  const later = file('a', one, 'v2', { path: `${one}.gz`, plain: false, modified: 2_000 });
  test.each([
    ['the one modified last', [file('a', one), later], 'v2'],
    ['with equal times, the plain one', [file('a', one), { ...later, modified: 1_000 }], 'v1'],
  ])('%s is used, the other is reported', (_, files, version) => {
    for (const order of [files, [...files].reverse()]) {
      const result = plan({ files: order });
      expect(result.windows).toMatchObject([{ sources: [{ seen: version }] }]);
      expect(result.duplicates).toHaveLength(1);
    }
  });
});

test('the order of the listing does not matter', () => {
  const files = [1, 2, 3].flatMap((number) =>
    ['a', 'b', 'ä', '\u{10348}', '\uffee'].flatMap((cluster): ListedFile[] => [
      file(cluster, dayWindow(number)),
      file(cluster, dayWindow(number), 'v2', {
        path: `x.${dayWindow(number)}`,
        plain: false,
        modified: 1_000 + number,
      }),
    ]),
  );
  const members = membership(['a', 'b', 'ä', '\uffee', '\u{10348}']);
  const expected = plan({ files, membership: members });
  expect(expected.windows[0]?.sources.map((source) => source.cluster)).toEqual(members.clusters);
  fc.assert(
    fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
      expect(plan({ files: shuffled, membership: members })).toEqual(expected);
    }),
    { numRuns: 50, seed: 1 },
  );
});

describe('retention', () => {
  const scope = { exclude: [], retention: { '1d': 2 * 86_400 } };
  const members = membership(['a', 'b'], { scope });
  const third = dayWindow(3);
  const endOf = (id: string) => Number(id.split('-')[1]);

  it('removes windows that ended longer ago, once, and adds none of them again', () => {
    const now = endOf(one) + 2 * 86_400;
    const input = { membership: members, files: [...same, file('b', third)], now };
    const { windows, carried, removed } = plan({ ...input, base });
    expect({ planned: windows.map(({ window }) => window), carried, removed }).toEqual({
      planned: [third],
      carried: [two],
      removed: [one],
    });
    const next = generation({ [two]: [used('a')], [third]: [used('b')] }, members);
    expect(plan({ ...input, base: next })).toMatchObject({ windows: [], removed: [] });
  });

  it('counts from the end of a window, to the second', () => {
    const at = (now: number) => plan({ base, membership: members, files: same, now }).removed;
    expect(at(endOf(one) + 2 * 86_400 - 1)).toEqual([]);
    expect(at(endOf(one) + 2 * 86_400)).toEqual([one]);
  });

  it('leaves other resolutions alone', () => {
    const hourly = membership(['a', 'b'], { scope: { exclude: [], retention: { '1h': 3_600 } } });
    expect(plan({ base, membership: hourly, files: same, now: 4e9 })).toMatchObject({
      carried: [one, two],
      removed: [],
    });
  });

  it('removes quarantined sources along with their windows', () => {
    const known = generation({ [one]: [used('a')] }, both, {
      quarantined: [quarantinedSource('b', one), quarantinedSource('b', two)],
    });
    const now = endOf(one) + 2 * 86_400;
    expect(
      plan({ base: known, membership: members, files: [], now }).quarantined.map(({ window }) => window),
    ).not.toContain(one);
  });

  it('restores windows when it is extended', () => {
    const next = generation({ [two]: [used('a')] }, members);
    expect(planned({ base: next, membership: both, files: same, now: 4e9 })).toEqual([one]);
  });
});
