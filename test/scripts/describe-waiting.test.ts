import { describeWaiting } from '../../scripts/describe-waiting';

const now = new Date('2026-11-20T12:00:00Z');
const since = '2026-11-20T09:30:00Z';

it('says since when a primary waits, and when it can go on at the earliest', () => {
  expect(describeWaiting(since, { nextRun: '2026-11-20T12:12:00Z' }, now)).toBe(
    ' for 2h 30m; goes on after the next federation at the earliest, in 12m',
  );
  expect(describeWaiting(since, { paused: { note: '' } }, now)).toBe(' for 2h 30m; no federation is due');
  expect(describeWaiting(since, 'absent', now)).toBe(' for 2h 30m; no federation is due');
  expect(describeWaiting(since, undefined, now)).toBe(' for 2h 30m');
});
