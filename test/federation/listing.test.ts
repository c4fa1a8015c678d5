import fc from 'fast-check';
import { clusterId } from '../../etl/cluster-id';
import { type WindowId, windowId, windowName, type WindowRef } from '../../etl/window';
import type { ListedFile } from '../../federation/candidates';
import {
  decideListing,
  describeFullListing,
  isRecent,
  type LastFullListing,
  lastFullListingSchema,
  listedFirst,
  type ListingInput,
  outdated,
  recentFrom,
} from '../../federation/listing';
import { propertyRuns } from '../etl/run-counts';
import {
  candidates,
  dayWindow,
  decided,
  file,
  generation,
  membership,
  out,
  quarantinedSource,
  used,
} from './made-up';

const hour = 3_600;
const day = 24 * hour;
/** Current time in these tests, in Unix seconds: the middle of the window `dayWindow(30)`. */
const now = 1_794_614_400 + 30.5 * day;
const since = now - 7 * day;
/** Two consecutive windows. A listing of the kind `recent` skips the first one and covers the second one. */
const [old, recent] = [dayWindow(22), dayWindow(23)];

const both = membership(['a', 'b']);
const base = generation({ [old]: [used('a'), used('b')], [recent]: [used('a')] }, both, { generation: 5 });
const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
const settled = { files: 1, newest: 1_000, inOrder: true };
const last = (more: Partial<LastFullListing> = {}): LastFullListing => ({
  format: 1,
  generation: 5,
  at: at(now - hour),
  clusters: { a: settled, b: settled },
  ...more,
});
const input = (more: Partial<ListingInput> = {}): ListingInput => ({
  base,
  membership: both,
  request: {},
  last: last(),
  now,
  ...more,
});

describe('a listing is recent', () => {
  const rows: [string, Partial<ListingInput>][] = [
    ['if everything was listed within a day', {}],
    ['until the day is over', { last: last({ at: at(now - day + 1) }) }],
    ['if recent windows are requested', { request: { windows: { start: since, end: since + hour } } }],
    ['if generations followed that of the full listing', { last: last({ generation: 3 }) }],
    [
      'if an exclusion has another reason',
      {
        base: generation({}, membership(['a', 'b'], { exclusions: { c: out } }), { generation: 5 }),
        membership: membership(['a', 'b'], { exclusions: { c: { ...out, reason: 'now we know' } } }),
      },
    ],
  ];
  test.each(rows)('%s', (_, more) => {
    expect(decideListing(input(more))).toMatchObject({ kind: 'recent', since });
  });
});

describe('a listing is full', () => {
  const excluded = { b: { by: 'person' as const, reason: '', lastGeneration: 4 } };
  const rows: [string, Partial<ListingInput>, string][] = [
    ['with --full', { request: { full: true } }, 'it was requested'],
    ['with --force', { request: { force: true } }, 'it was requested'],
    ['without a generation', { base: undefined }, 'there is no generation yet'],
    [
      'with another merge revision',
      { base: { ...base, mergeRevision: 999 } },
      'the last generation is of another merge revision',
    ],
    [
      'when a cluster leaves',
      { membership: membership(['a'], { exclusions: { b: out } }) },
      'the membership has changed',
    ],
    [
      'when a cluster is removed',
      {
        membership: membership(['a'], {
          removed: { [clusterId('b')]: { by: 'kim@host', reason: '', at: at(now), lastGeneration: 5 } },
        }),
      },
      'the membership has changed',
    ],
    [
      'with another scope',
      { membership: membership(['a', 'b'], { scope: { exclude: [], retention: { '1d': day } } }) },
      'the membership has changed',
    ],
    [
      'when a cluster returns',
      { base: generation({ [old]: [used('a')] }, membership(['a'], { excluded }), { generation: 5 }) },
      'the membership has changed',
    ],
    [
      'if older windows are requested',
      { request: { windows: { start: since - 1, end: now } } },
      'older windows were requested',
    ],
    [
      'if a source of an older window is accepted',
      { decided: new Set([recent, old]) },
      'a source of an older window is accepted',
    ],
    ['if no full listing is known', { last: undefined }, 'no full listing is known'],
    [
      'if the generation of the last full listing is gone',
      { last: last({ generation: 6 }) },
      'the last full listing is of a generation that is gone',
    ],
    [
      'if the last full listing was a day ago',
      { last: last({ at: at(now - day) }) },
      `the last full listing was at ${at(now - day)}`,
    ],
    [
      'if the last full listing is in the future',
      { last: last({ at: at(now + 1) }) },
      `the last full listing was at ${at(now + 1)}`,
    ],
    [
      'if the last full listing has no valid time',
      { last: last({ at: 'x' }) },
      'the last full listing was at x',
    ],
  ];
  test.each(rows)('%s', (_, more, why) => {
    expect(decideListing(input(more))).toEqual({ kind: 'full', why });
  });
});

describe('a recent listing lists first, and in full,', () => {
  const rows: [string, Partial<ListingInput>, string[]][] = [
    ['no unchanged cluster', {}, []],
    ['a cluster that the generation does not include', { membership: membership(['a', 'b', 'c']) }, ['c']],
    ['a cluster that the last full listing did not see', { last: last({ clusters: { a: settled } }) }, ['b']],
    [
      'a cluster without older windows',
      { last: last({ clusters: { a: settled, b: { ...settled, files: 0 } } }) },
      ['b'],
    ],
    [
      'a cluster that wrote older windows within a day',
      { last: last({ clusters: { a: settled, b: { ...settled, newest: (now - hour - day) * 1_000 } } }) },
      ['b'],
    ],
    [
      'not one that did so before',
      { last: last({ clusters: { a: settled, b: { ...settled, newest: (now - hour - day) * 1_000 - 1 } } }) },
      [],
    ],
    [
      'a cluster whose keys do not sort by time',
      { last: last({ clusters: { a: { ...settled, inOrder: false }, b: settled } }) },
      ['a'],
    ],
    [
      'a cluster with a quarantined source of an older window',
      { base: { ...base, quarantined: [quarantinedSource('b', old), quarantinedSource('a', recent)] } },
      ['b'],
    ],
    [
      'not one that a person has dropped',
      { base: { ...base, quarantined: [quarantinedSource('b', old, { dropped: decided })] } },
      [],
    ],
    ['not an excluded one', { base: { ...base, quarantined: [quarantinedSource('c', old)] } }, []],
  ];
  test.each(rows)('%s', (_, more, clusters) => {
    expect([...listedFirst(input(more), since)]).toEqual(clusters);
  });
});

describe('a recent listing is outdated', () => {
  const seen = [file('a', old), file('a', recent)];
  const known = { last: last({ clusters: describeFullListing(candidates(seen), now).clusters }) };
  const rows: [string, readonly ListedFile[], string | undefined][] = [
    ['not by files that the full one saw', seen, undefined],
    ['not by a recent window', [...seen, file('a', dayWindow(24), 'v2', { modified: 9_000 })], undefined],
    ['by an additional older window', [...seen, file('a', dayWindow(1))], 'older windows of a changed'],
    ['by a missing one', [file('a', recent)], 'older windows of a changed'],
    ['by a changed version', [file('a', old, 'v2', { modified: 9_000 })], 'older windows of a changed'],
    ['by a new cluster', [...seen, file('c', recent)], 'c is new'],
  ];
  test.each(rows)('%s', (_, files, why) => {
    expect(outdated(input(known), new Set(['a', 'b', 'c']), candidates(files))).toBe(why);
  });

  test('does not count clusters of which only part was listed', () => {
    expect(outdated(input(known), new Set(['b']), candidates([file('a', recent)]))).toBeUndefined();
  });

  test('does not count the passage of time: a window that was recent then has not become older', () => {
    const later = { ...known, now: now + day - hour - 1 };
    expect(outdated(input(later), new Set(['a']), candidates(seen))).toBeUndefined();
  });
});

test('the record of a full listing survives JSON', () => {
  const made = describeFullListing(candidates([file('a', old), file('b', recent)]), now);
  expect(made).toEqual({
    at: at(now),
    clusters: { a: settled, b: { files: 0, newest: 0, inOrder: true } },
  });
  const text = JSON.stringify({ format: 1, generation: 1, ...made });
  expect(lastFullListingSchema.parse(JSON.parse(text))).toMatchObject(made);
});

describe('a recent listing resumes', () => {
  const first = (seconds: number) => Math.floor(since) - seconds;
  const rows: [string, string, string | undefined][] = [
    ['from an older day', dayWindow(1), `allocations/1d/${first(day)}`],
    ['from an older week', 'assets/1w/1-2', 'assets/1w0'],
    ['from seven older days', 'assets/7d/1-2', `assets/7d/${first(7 * day)}`],
    ['from older ten minutes, in the spelling of their folder', 'assets/10m/1-2', `assets/10m/${first(600)}`],
    ['from an odd name', 'assets/1h/!', `assets/1h/${first(hour)}`],
    ['from a name with a prefix', `assets/1h/a.${first(0)}-${first(-hour)}`, undefined],
    ['from a recent day', recent, undefined],
    ['from a folder that is not a resolution', 'assets/x/1', 'assets/x0'],
    ['from another pipeline', 'networks/1d/1', 'networks0'],
    ['from a file next to the folders', 'assets', undefined],
    ['from a file next to the resolutions', 'assets/1d', undefined],
    ['from a resolution longer than unix time', 'assets/99999d/1-2', undefined],
  ];
  test.each(rows)('%s', (_, path, from) => {
    expect(recentFrom(path, since)).toBe(from);
  });

  const resolution = fc.constantFrom(['10m0s', 600], ['1h', hour], ['1d', day], ['7d', 7 * day] as const);
  const recentFile = fc
    .record({
      resolution,
      end: fc.integer({ min: Math.floor(since) + 1, max: now + 30 * day }),
      style: fc.constantFrom('', '.gz', 'prefix.'),
    })
    .map(({ resolution: [name, seconds], end, style }) => {
      const window = { start: end - Number(seconds), end };
      const ref: WindowRef = { pipeline: 'assets', resolution: String(name), window };
      const odd = style === 'prefix.' ? style + windowName(window) : windowName(window) + style;
      return { ref, path: `assets/${name}/${odd}` };
    });

  test('no recent window is skipped, wherever a page ends', () => {
    fc.assert(
      fc.property(recentFile, fc.string(), (found, name) => {
        expect(isRecent(found.ref, since)).toBe(true);
        const from = recentFrom(`assets/${found.ref.resolution}/${name}`, since);
        if (from !== undefined) expect(from < found.path).toBe(true);
        expect(recentFrom(found.path, since)).toBeUndefined();
        const { inOrder } = describeFullListing(
          candidates([file('a', windowId(found.ref), 'v1', { path: found.path })]),
          now,
        ).clusters.a ?? { inOrder: false };
        expect(inOrder).toBe(true);
      }),
      propertyRuns(200, 5_000),
    );
  });

  test('a cluster with a recent file under a name that sorts before its time is detected', () => {
    const odd = (window: WindowId) =>
      file('a', window, 'v1', { path: window.replace('1d/', '1d/1.'), plain: false });
    const of = (window: WindowId) => describeFullListing(candidates([odd(window)]), now).clusters.a?.inOrder;
    expect([of(recent), of(old)]).toEqual([false, true]);
    expect(of('allocations/1d/90000000000-90000086400' as WindowId)).toBe(false);
  });
});
