import { clusterId } from '../../etl/cluster-id';
import { hasWrongLength, type WindowId } from '../../etl/window';
import { Notices, withEarlier } from '../../federation/notices';
import { hasTwoWriters, noteWritten, watchedWindows, type Writers } from '../../federation/writers';
import type { Version } from '../../storage/bucket';
import { candidates, dayWindow, file } from './made-up';

const day = 86_400;
/** Start of the window `dayWindow(1)`, in Unix seconds. */
const [, first = ''] = /(\d+)-/.exec(dayWindow(1)) ?? [];
const dayOne = Number(first);
const [a, b] = [clusterId('a'), clusterId('b')];
const windowAt = (start: number) => `allocations/1d/${start}-${start + day}` as WindowId;

describe('notices', () => {
  const noticed = (now: number, ...windows: WindowId[]) => {
    const notices = new Notices(now);
    for (const window of windows) notices.add({ cluster: a, window, path: window });
    return notices.list([a, b]);
  };

  it('name windows that start in the future, with one example', () => {
    const [one, two] = [windowAt(dayOne + day), windowAt(dayOne + 2 * day)];
    expect(noticed(dayOne, windowAt(dayOne), two, one)).toEqual([
      { cluster: a, code: 'WINDOW_IN_FUTURE', count: 2, example: one },
    ]);
  });

  it('tolerate a clock that is an hour ahead', () => {
    const next = windowAt(dayOne + day);
    expect(noticed(dayOne + day - 3_600, next)).toEqual([]);
    expect(noticed(dayOne + day - 3_601, next)).toHaveLength(1);
  });

  it('name windows that do not start at a multiple of their resolution', () => {
    const odd = windowAt(dayOne + 3_600);
    expect(noticed(dayOne + 2 * day, odd)).toMatchObject([{ code: 'WINDOW_MISALIGNED', example: odd }]);
  });

  it('are only about included clusters, in a fixed order', () => {
    const notices = new Notices(dayOne);
    notices.addWrongLength(b, 'y');
    notices.addTwoWriters(a, 'x');
    notices.addWrongLength(a, 'x');
    expect(notices.list([a, b]).map(({ cluster, code }) => `${cluster} ${code}`)).toEqual([
      'a FOLDER_TWO_WRITERS',
      'a WINDOW_LENGTH_WRONG',
      'b WINDOW_LENGTH_WRONG',
    ]);
    expect(notices.list([b])).toHaveLength(1);
  });

  it('stay, if the files that they are about were not listed', () => {
    const notice = (cluster: typeof a, count: number) =>
      ({ cluster, code: 'WINDOW_MISALIGNED', count, example: 'x' }) as const;
    expect(withEarlier([notice(b, 1)], [notice(a, 5), notice(b, 7)])).toEqual([notice(a, 5), notice(b, 7)]);
  });
});

test.each([
  [`allocations/1d/${dayOne}-${dayOne + 3_600}`, true],
  [`assets/1h/x.${dayOne}-${dayOne + 7_200}.gz`, true],
  [`allocations/daily/${dayOne}-${dayOne + day}`, true],
  [`allocations/1d/${dayOne + day}-${dayOne}`, true],
  [`allocations/1d/${dayOne}-${dayOne + day}`, false],
  [`allocations/24h/${dayOne}-${dayOne + day}`, false],
  [`networkinsights/1d/${dayOne}-${dayOne + 3_600}`, false],
  ['allocations/1d/.tmp-1', false],
  ['allocations/notes.txt', false],
])('the length of %s is wrong: %s', (path, expected) => {
  expect(hasWrongLength(path)).toBe(expected);
});

describe('a cluster has two writers', () => {
  const window = dayWindow(1);
  const now = Date.parse('2026-11-20T12:00:00Z');
  const after = (...written: [version: string, agent?: string, minutesAgo?: number, start?: string][]) =>
    written.reduce<Writers | undefined>(
      (known, [version, agent, minutesAgo = 0, start]) =>
        noteWritten(known, {
          window,
          version: version as Version,
          ...(agent !== undefined && { agent }),
          ...(start !== undefined && { start }),
          inventory: { codecs: {} },
          modified: now - minutesAgo * 60_000,
        }),
      undefined,
    ) ?? { window, versions: [], agents: [], starts: [], inventory: { codecs: {} } };

  test.each<[string, Writers, boolean]>([
    ['if an agent writes again after another one', after(['1', 'p'], ['2', 'q'], ['3', 'p']), true],
    ['if its file changes back and forth twice', after(['1'], ['2'], ['1'], ['2']), true],
    ['if its volume was cloned', after(['1', 'p', 0, 's'], ['2', 'p', 0, 't'], ['3', 'p', 0, 's']), true],
    [
      'not if its process was restarted',
      after(['1', 'p', 0, 's'], ['2', 'p', 0, 't'], ['3', 'p', 0, 'u'], ['4', 'p', 0, 'u']),
      false,
    ],
    ['not if its volume was replaced', after(['1', 'p'], ['2', 'q'], ['3', 'q'], ['4', 'q']), false],
    ['not if a file was repaired', after(['1'], ['2'], ['1']), false],
    ['not if the same version is seen again', after(['1'], ['1'], ['1'], ['1']), false],
    ['not if one agent writes', after(['1', 'p'], ['2', 'p'], ['3', 'p'], ['4', 'p']), false],
    ['not if that was long ago', after(['1', 'p'], ['2', 'q'], ['3', 'p', 8 * 24 * 60]), false],
  ])('%s', (_, writers, expected) => {
    expect(hasTwoWriters(writers, now)).toBe(expected);
  });

  test('the versions of another window do not count', () => {
    const known = after(['1'], ['2'], ['1']);
    const next = noteWritten(known, {
      window: dayWindow(2),
      version: '2' as Version,
      inventory: { codecs: {} },
      modified: now,
    });
    expect(next.versions).toEqual(['2']);
  });
});

test('the newest window with the longest resolution is watched', () => {
  const hour = `allocations/1h/${dayOne + 3 * day}-${dayOne + 3 * day + 3_600}` as WindowId;
  const listed = candidates([
    file('a', dayWindow(1)),
    file('a', dayWindow(2)),
    file('a', dayWindow(9)),
    file('a', hour),
    file('b', hour),
  ]);
  expect(watchedWindows(listed, dayOne + 4 * day)).toEqual(
    new Map([
      [a, dayWindow(2)],
      [b, hour],
    ]),
  );
});
