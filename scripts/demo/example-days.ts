import { InvalidArgumentError } from 'commander';

/* In this module, a day is a day in UTC, written like 2026-11-16. */

const dayMs = 86_400_000;
/** Number of days in the example. */
const length = 3;

/** Last day of the example data as it is stored in the checkout. */
export const goldenDay = '2026-11-16';

/** Returns the day before the day that contains `now`. */
export function yesterday(now: Date): string {
  return dayAfter(now.toISOString().slice(0, 10), -1);
}

/** Returns the first day of an example that ends on `lastDay`. */
export function firstDay(lastDay: string): string {
  return dayAfter(lastDay, 1 - length);
}

/** Returns the API parameter `window` for all days of an example that ends on `lastDay`. */
export function exampleWindow(lastDay: string): string {
  return `${firstDay(lastDay)}T00:00:00Z,${dayAfter(lastDay, 1)}T00:00:00Z`;
}

/** Returns the number of seconds by which to shift the checkout's example data, so that it ends on `lastDay`. */
export function secondsAfterGolden(lastDay: string): number {
  return (Date.parse(lastDay) - Date.parse(goldenDay)) / 1000;
}

/**
 * Parses the value of a command-line option as a day. Rejects days before 1970-01-03, because the first of the
 * example's three days would be before 1970.
 */
export function parseDay(text: string): string {
  // `Date` does not reject every impossible day: it turns February 30 into a day in March. So also check that the date,
  // when written as text again, equals the input.
  const isDay =
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayAfter(text, 0) === text;
  if (!isDay || firstDay(text) < '1970-01-01')
    throw new InvalidArgumentError('It takes a day from 1970-01-03 on, such as 2026-11-16.');
  return text;
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}
