import { visibleText } from '../etl/visible-text';

/** Formats an amount of money, with two decimals, or with four if it is below 1. */
export function money(amount: number, currency: string): string {
  const digits = amount !== 0 && Math.abs(amount) < 1 ? 4 : 2;
  const plain = amount.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  try {
    return amount.toLocaleString('en-US', {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  } catch {
    // The currency can be configured as any string. If it is not an ISO code, the call above throws.
    return `${plain} ${currency}`;
  }
}

/** Formats a fraction of 1 as a percentage. */
export function percent(share: number): string {
  return `${(share * 100).toLocaleString('en-US', { maximumFractionDigits: share < 0.1 ? 1 : 0 })}%`;
}

/** Formats the time elapsed since `time`: `42 s`, `3 min`, `2 h`, `5 d`. If `time` is undefined, returns `never`. */
export function age(time: string | undefined, now: number): string {
  if (time === undefined) return 'never';
  const seconds = Math.max(0, (now - Date.parse(time)) / 1_000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Formats a duration: `0.8 s`, `12 s`, `3 min 5 s`. */
export function span(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Formats a time in UTC: `2026-11-20 14:05`. If it is undefined, returns an empty string. */
export function moment(time: string | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString().slice(0, 16).replace('T', ' ');
}

/** Formats a number of bytes: `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value.toLocaleString('en-US', { maximumFractionDigits: unit === 0 ? 0 : 1 })} ${units[unit]}`;
}

/**
 * Makes a name readable: replaces the API's placeholders, such as `__idle__`, with words, and shows what is hidden in it
 * (the chart draws its own texts).
 */
export function displayName(name: string): string {
  const names = new Map([
    ['', '(all, or without a value)'],
    ['__idle__', 'Idle'],
    ['__unallocated__', 'Unallocated'],
    ['__unmounted__', 'Unmounted volumes'],
  ]);
  return (
    names.get(name) ??
    visibleText(name)
      .replaceAll('__idle__', 'Idle')
      .replaceAll('__unallocated__', 'Unallocated')
      .replaceAll('__unmounted__', 'Unmounted')
  );
}

const hoursPerMonth = 730;

/**
 * Converts the cost of `hours` hours to the cost per `day` or `month`. For any other rate, returns the cost unchanged.
 */
export function rated(cost: number, hours: number, rate: string): number {
  if (rate === 'day') return hours > 0 ? (cost / hours) * 24 : 0;
  if (rate === 'month') return hours > 0 ? (cost / hours) * hoursPerMonth : 0;
  return cost;
}

/** Start and end of a window, as RFC 3339 times. */
export interface WindowText {
  readonly start: string;
  readonly end: string;
}

/**
 * Returns the number of hours of a window that have elapsed. Future hours do not count, because they have no costs yet.
 */
export function pastHours({ start, end }: WindowText, now: number): number {
  return Math.max(0, Math.min(Date.parse(end), now) - Date.parse(start)) / 3_600_000;
}

/**
 * Formats a window of whole UTC days by its first and last day: `2026-11-14 to 2026-11-16`. Formats any other window by
 * its start and end time.
 */
export function dates({ start, end }: WindowText): string {
  const isDays = start.endsWith('T00:00:00Z') && end.endsWith('T00:00:00Z');
  if (!isDays) return `${moment(start)} to ${moment(end)}`;
  const last = new Date(Date.parse(end) - 1).toISOString().slice(0, 10);
  const first = start.slice(0, 10);
  return first === last ? first : `${first} to ${last}`;
}

/** Shortens the name of a run: removes everything before its time, namely `temporal.idPrefix` and `federation-`. */
export function shortRun(run: string): string {
  return run.replace(/^.*federation-(?=\d)/, '');
}

/** Formats a number with its noun: `1 row`, `2 rows`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
