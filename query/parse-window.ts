import { ownValue } from '../etl/own-value';
import { invalid } from './invalid';
import { timeText } from './notes';
import type { Span } from './span';

export interface Clock {
  /** The current time in unix seconds. */
  readonly now: number;
  /** Offset of the time zone from UTC, in seconds. Days begin at midnight in this time zone. */
  readonly utcOffsetSeconds: number;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const week = 7 * day;
const units: Readonly<Record<string, number>> = { m: minute, h: hour, d: day, w: week };
/**
 * Latest time at which a window may end, in unix seconds: the beginning of the year 9000. Steps and periods may extend
 * far beyond the end of the window, but an RFC 3339 time has only four digits for the year.
 */
const latest = Date.UTC(9000, 0) / 1000;

/**
 * Parses a time window. These forms are supported:
 * - a word, such as `today` or `lastweek`
 * - a duration that ends with the current minute, hour or day, such as `7d`
 * - a duration with an offset, such as `7d offset 1d`
 * - a pair of unix seconds or RFC 3339 times. A fraction of a second is rounded down in the start, and up in the end.
 *
 * The start of the returned window is always before its end. Throws QUERY_INVALID for any other text.
 */
export function parseWindow(given: string | undefined, clock: Clock): Span {
  const text = (given ?? '').trim();
  if (text === '') throw invalid('window', '', 'is missing; it takes today, 7d, 24h or START,END.');
  refuseDates(text, clock);
  const window = wordWindow(text, clock) ?? durationWindow(text, clock) ?? pairWindow(text);
  if (window === undefined) {
    throw invalid(
      'window',
      text,
      'is not a window; it takes today, yesterday, week, 7d, 24h, START,END and the like.',
    );
  }
  if (!(window.end > window.start)) throw invalid('window', text, 'ends before it starts, or is empty.');
  if (window.start < 0 || window.end > latest) {
    throw invalid('window', text, 'is out of range; seconds count from 1970 on, and 9000 is the last year.');
  }
  return { start: Math.floor(window.start), end: Math.ceil(window.end) };
}

/** Returns the start of the day that contains a moment, in unix seconds. */
function dayOf(moment: number, { utcOffsetSeconds }: Clock): number {
  return Math.floor((moment + utcOffsetSeconds) / day) * day - utcOffsetSeconds;
}

function wordWindow(text: string, clock: Clock): Span | undefined {
  const { now, utcOffsetSeconds } = clock;
  const today = dayOf(now, clock);
  // Weeks begin on Sunday. 1 January 1970 was a Thursday, which is four days after a Sunday: hence the 4.
  const sunday = today - (((((today + utcOffsetSeconds) / day + 4) % 7) + 7) % 7) * day;
  const date = new Date((now + utcOffsetSeconds) * 1000);
  const monthOf = (back: number) =>
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - back) / 1000 - utcOffsetSeconds;
  // The windows `week` and `month` end now. At the first moment of a week or month, they would be empty, which is
  // invalid. So they are at least a minute long.
  const sinceOf = (start: number) => Math.max(now, start + minute);
  switch (text) {
    case 'today':
      return { start: today, end: today + day };
    case 'yesterday':
      return { start: today - day, end: today };
    case 'week':
      return { start: sunday, end: sinceOf(sunday) };
    case 'lastweek':
      return { start: sunday - week, end: sunday };
    case 'month':
      return { start: monthOf(0), end: sinceOf(monthOf(0)) };
    case 'lastmonth':
      return { start: monthOf(1), end: monthOf(0) };
    default:
      return undefined;
  }
}

function durationWindow(text: string, clock: Clock): Span | undefined {
  const match = /^(\d{1,9})([mhdw])(?:\s+offset\s+(\d{1,9})([mhdw]))?$/.exec(text);
  if (match === null) return undefined;
  const [, count, unit = '', offsetCount, offsetUnit = ''] = match;
  const length = Number(count) * (ownValue(units, unit) ?? 0);
  if (offsetCount !== undefined) {
    const end = clock.now - Number(offsetCount) * (ownValue(units, offsetUnit) ?? 0);
    return { start: end - length, end };
  }
  const end = endOf(unit, clock);
  return { start: end - length, end };
}

/** Returns the end of the current minute or hour. For all other units, returns the end of the current day. */
function endOf(unit: string, clock: Clock): number {
  if (unit === 'm' || unit === 'h') {
    const size = units[unit] ?? minute;
    return Math.floor(clock.now / size) * size + size;
  }
  return dayOf(clock.now, clock) + day;
}

const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`;
const pair = new RegExp(`(${time}),(${time})`);

function pairWindow(text: string): Span | undefined {
  const seconds = /^(\d{1,13})[,-](\d{1,13})$/.exec(text);
  if (seconds !== null) return { start: Number(seconds[1]), end: Number(seconds[2]) };
  const times = pair.exec(text);
  if (times === null) return undefined;
  const [start, end] = [momentOf(times[1] ?? ''), momentOf(times[2] ?? '')];
  return Number.isNaN(start) || Number.isNaN(end) ? undefined : { start, end };
}

/**
 * Throws QUERY_INVALID if the text is a pair of dates without times, because it is unclear whether the last day is part
 * of the window. The error message contains both possible windows.
 */
function refuseDates(text: string, { utcOffsetSeconds }: Clock): void {
  const [, first = '', last = ''] = /^(\d{4}-\d\d-\d\d)\s*,\s*(\d{4}-\d\d-\d\d)$/.exec(text) ?? [];
  const dayAt = (date: string) => momentOf(`${date}T00:00:00Z`) - utcOffsetSeconds;
  const [start, end] = [dayAt(first), dayAt(last)];
  if (!(start >= 0 && end >= start && end < latest)) return;
  const reading = (until: number) => `${timeText(start)},${timeText(until)}`;
  const without = end > start ? `${reading(end)} is without it, ` : '';
  throw invalid(
    'window',
    text,
    `does not say whether its last day counts: ${without}${reading(end + day)} is with it.`,
  );
}

/**
 * Converts an RFC 3339 time to unix seconds. Returns NaN if the day or hour does not exist. (For 30 February, for
 * example, `Date` would return a day in March.)
 */
function momentOf(text: string): number {
  const midnight = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(midnight) || Number(text.slice(11, 13)) > 23) return NaN;
  const isDay = new Date(midnight).toISOString().startsWith(text.slice(0, 10));
  return isDay ? Date.parse(text) / 1000 : NaN;
}
