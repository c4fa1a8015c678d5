import { InvalidArgumentError } from 'commander';

/* All days are UTC days, written like 2026-11-16. */

const dayMs = 86_400_000;
/** Number of days in the example. */
const length = 3;

/** Last day of the example data in the checkout. */
export const goldenDay = '2026-11-16';

/** Returns the day before the day that contains `now`. */
export function yesterday(now: Date): string {
  return dayAfter(now.toISOString().slice(0, 10), -1);
}

/** Returns the first day of an example that ends on `lastDay`. */
export function firstDay(lastDay: string): string {
  return dayAfter(lastDay, 1 - length);
}

/** Returns all days of an example that ends on `lastDay`, as a `window` parameter of the API. */
export function exampleWindow(lastDay: string): string {
  return `${firstDay(lastDay)}T00:00:00Z,${dayAfter(lastDay, 1)}T00:00:00Z`;
}

/** Returns how many seconds to shift the golden data so that it ends on the given day. */
export function secondsAfterGolden(lastDay: string): number {
  return (Date.parse(lastDay) - Date.parse(goldenDay)) / 1000;
}

/** Parses the value of an option that is a day. */
export function parseDay(text: string): string {
  // `Date` turns an impossible day, such as February 30, into another day or into NaN. So compare it with the text.
  const isDay =
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayAfter(text, 0) === text;
  if (!isDay || firstDay(text) < '1970-01-01')
    throw new InvalidArgumentError('It takes a day from 1970-01-03 on, such as 2026-11-16.');
  return text;
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}
