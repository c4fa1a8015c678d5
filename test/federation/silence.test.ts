import { parseWindowId, type WindowId, type WindowRef } from '../../etl/window';
import { countMissing, judgeSilence, type Silence, type SilenceInput } from '../../federation/silence';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.parse('2026-11-20T12:00:00Z');
const hourly = 'allocations/1h/1794614400-1794618000' as WindowId;
const daily = 'allocations/1d/1794614400-1794700800' as WindowId;

/** Returns files, one for each age. An age is the time since the file was written. */
const written = (ages: readonly number[], window = hourly) =>
  ages.map((age) => ({ window, modified: now - age }));
/** Returns the ages of `count` pushes, which were `interval` apart. The last push was `age` ago. */
const every = (interval: number, age: number, count = 100) =>
  Array.from({ length: count }, (_, index) => age + index * interval);
const judge = (files: SilenceInput['files'], more: Partial<SilenceInput> = {}) =>
  judgeSilence({ membership: 'in', stopped: false, files, now, ...more });

describe('a cluster', () => {
  /** A cluster that pushes hourly for eight hours a day. It is now in the middle of a night. */
  const nights = Array.from({ length: 14 }, (_, index) => every(hour, 9 * hour + index * day, 8)).flat();

  it.each<[what: string, ages: readonly number[], state: Silence['state'], usual: number]>([
    ['that pushes every hour', every(hour, hour), 'on-time', hour],
    ['that pushes every hour, 3 h ago', every(hour, 3 * hour), 'on-time', hour],
    ['that pushes every hour, more than 3 h ago', every(hour, 3 * hour + 1), 'late', hour],
    ['that pushes every hour, 2 days ago', every(hour, 2 * day), 'late', hour],
    ['that pushes every hour, more than 2 days ago', every(hour, 2 * day + 1), 'gone', hour],
    ['that pushed two months ago', every(hour, 60 * day), 'gone', hour],
    ['that pushes every 10 minutes, 3 h ago', every(10 * minute, 3 * hour), 'on-time', 10 * minute],
    [
      'that pushes every 10 minutes, more than 3 h ago',
      every(10 * minute, 3 * hour + 1),
      'late',
      10 * minute,
    ],
    ['that pushes every 6 h, 18 h ago', every(6 * hour, 18 * hour), 'on-time', 6 * hour],
    ['that pushes every 6 h, more than 18 h ago', every(6 * hour, 18 * hour + 1), 'late', 6 * hour],
    ['that pushes once a day, 3 days ago', every(day, 3 * day), 'on-time', day],
    ['that pushes once a day, more than 3 days ago', every(day, 3 * day + 1), 'late', day],
    ['that pushes once a day, more than 4 days ago', every(day, 4 * day + 1), 'gone', day],
    ['that rests at night', nights, 'on-time', 17 * hour],
    [
      'that had one outage a week ago',
      [...every(hour, hour, 168), ...every(hour, 10 * day, 96)],
      'on-time',
      hour,
    ],
  ])('%s', (_, ages, state, usual) => {
    expect(judge(written(ages))).toEqual({ state, usual, guessed: false, lastSeen: now - (ages[0] ?? 0) });
  });

  it.each<[what: string, ages: readonly number[], window: WindowId, state: Silence['state'], usual: number]>([
    ['one push', [hour], hourly, 'on-time', hour],
    ['one push of hourly windows, 3 h ago', [3 * hour + 1], hourly, 'late', hour],
    ['one push of daily windows, 2 days ago', [2 * day], daily, 'on-time', day],
    ['a thousand files, all of one push', every(1_000, hour, 1_000), hourly, 'on-time', hour],
    ['four pushes', every(2 * hour, 4 * hour, 4), hourly, 'late', hour],
  ])('whose usual interval is unknown, after %s', (_, ages, window, state, usual) => {
    expect(judge(written(ages, window))).toMatchObject({ state, usual, guessed: true });
  });

  it('without any push is gone if it is federated, and not expected before', () => {
    expect(judge([])).toEqual({ state: 'gone', usual: hour, guessed: true });
    expect(judge([], { membership: 'not yet' })).toMatchObject({ state: 'not-expected' });
    expect(judge(written(every(hour, 5 * hour)), { membership: 'not yet' })).toMatchObject({ state: 'late' });
  });

  it.each<[what: string, more: Partial<SilenceInput>]>([
    ['excluded', { membership: 'excluded' }],
    ['removed', { membership: 'removed' }],
    ['stopped on purpose', { stopped: true }],
  ])('that is %s is not expected, and was last seen when it was', (_, more) => {
    expect(judge(written(every(hour, 9 * day)), more)).toEqual({
      state: 'not-expected',
      usual: hour,
      guessed: false,
      lastSeen: now - 9 * day,
    });
  });
});

describe('the clock of the store', () => {
  it('may be ahead', () => {
    expect(judge(written(every(hour, -20 * minute)))).toMatchObject({ state: 'on-time' });
  });

  it('may be more than an hour ahead: what it says of the future is ignored', () => {
    expect(judge(written(every(hour, -5 * hour)))).toMatchObject({ state: 'on-time', lastSeen: now + hour });
  });

  it('does not hide a silence behind a file from the future', () => {
    expect(judge(written([-400 * day, ...every(hour, 5 * hour)]))).toMatchObject({
      state: 'late',
      lastSeen: now - 5 * hour,
    });
  });
});

describe('a cluster that comes back', () => {
  const before = every(hour, 2 * day, 100);

  it('is late until it has pushed for an hour', () => {
    expect(judge(written([0, ...before]))).toMatchObject({ state: 'late', back: now });
    expect(judge(written([minute, 59 * minute, ...before]))).toMatchObject({
      state: 'late',
      back: now - 59 * minute,
    });
    expect(judge(written([0, hour, ...before]))).toEqual({
      state: 'on-time',
      usual: hour,
      guessed: false,
      lastSeen: now,
    });
  });

  it('is late for an hour even if it usually pushes more often', () => {
    const often = every(10 * minute, day, 100);
    expect(judge(written([...every(10 * minute, 0, 4), ...often]))).toMatchObject({ state: 'late' });
    expect(judge(written([...every(10 * minute, 0, 7), ...often]))).toMatchObject({ state: 'on-time' });
  });

  it('is late until it has pushed for its usual interval', () => {
    const rare = every(6 * hour, 4 * day);
    expect(judge(written([0, 2 * hour, ...rare]))).toMatchObject({ state: 'late', back: now - 2 * hour });
    expect(judge(written([0, 6 * hour, ...rare]))).toMatchObject({ state: 'on-time' });
  });

  it('only to fall silent again stays late, without a moment in between', () => {
    const states = new Set<string>();
    // After a week of hourly pushes, the cluster pushes only every 10 hours.
    for (let at = now; at < now + 2 * day; at += 10 * minute) {
      const since = Math.floor((at - now) / (10 * hour)) + 1;
      const files = [
        ...Array.from({ length: since }, (_, index) => ({
          window: hourly,
          modified: now + index * 10 * hour,
        })),
        ...written(every(hour, 4 * hour, 168)),
      ];
      states.add(judge(files, { now: at }).state);
    }
    expect([...states]).toEqual(['late']);
  });
});

describe('missing windows', () => {
  const start = Date.parse('2026-11-19T00:00:00Z') / 1_000;
  const windows = (...hours: number[]) =>
    hours.map((number) => {
      const from = start + number * 3_600;
      return parseWindowId(`allocations/1h/${from}-${from + 3_600}`) as WindowRef;
    });
  const at = (hours: number) => (start + hours * 3_600) * 1_000;

  it.each<[what: string, refs: WindowRef[], now: number, missing: number]>([
    ['none', windows(0, 1, 2), at(3), 0],
    ['none that could still come', windows(0, 1, 2), at(6), 0],
    ['those since the last push', windows(0, 1, 2), at(16), 10],
    ['no gaps that are not due yet', windows(0, 3, 4), at(4), 0],
    ['gaps that are due', windows(0, 3, 4), at(6), 2],
    ['none, although a window is in the future', windows(0, 1, 2, 90), at(6), 0],
    ['none without a window', [], at(6), 0],
  ])('%s', (_, refs, time, missing) => {
    expect(countMissing(refs, hour, time)).toBe(missing);
  });
});
