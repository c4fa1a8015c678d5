import type { Summary } from './api-types';
import { moment, pastHours, rated, type WindowText } from './format';
import type { Series } from './series';

/** Time span that each bar of the chart covers. */
export type BarUnit = 'hour' | 'day' | 'week' | 'month';

/** A bar of the chart: its time span, and the cost in that time span for each name, such as each namespace. */
export interface Bar extends WindowText {
  readonly label: string;
  readonly costs: ReadonlyMap<string, number>;
}

type SummarySet = Summary['sets'][number];
const dayMs = 86_400_000;

/**
 * Returns the time span that each bar covers. If the user chose weeks or months, it is a week or a month. Otherwise, it
 * is the time span of one set of the answer: an hour or a day.
 */
export function unitOf(sets: readonly SummarySet[], chosen: string | undefined): BarUnit {
  if (chosen === 'week' || chosen === 'month') return chosen;
  return sets[0] !== undefined && lengthOf(sets[0].window) < dayMs ? 'hour' : 'day';
}

/**
 * Adds up consecutive sets into bars. If only part of a week or month is in the window, the bar contains only the costs
 * of this part. The bars therefore add up to the totals in the table.
 */
export function barsOf(sets: readonly SummarySet[], unit: BarUnit): Bar[] {
  const periods: SummarySet[][] = [];
  let before: string | undefined;
  for (const set of sets) {
    const period = periodOf(set.window, unit);
    if (period === before) periods.at(-1)?.push(set);
    else periods.push([set]);
    before = period;
  }
  const isOneDay = new Set(sets.map(({ window }) => dayOf(window))).size === 1;
  return periods.flatMap((members) => {
    const [first, last] = [members[0], members.at(-1)];
    if (first === undefined || last === undefined) return [];
    const costs = new Map<string, number>();
    for (const { allocations } of members) {
      for (const [name, { totalCost }] of Object.entries(allocations)) {
        costs.set(name, (costs.get(name) ?? 0) + totalCost);
      }
    }
    const [from, to] = [dayOf(first.window), dayOf(last.window)].map((day) => day.slice(5));
    const label =
      unit === 'hour'
        ? moment(first.window.start).slice(isOneDay ? 11 : 5)
        : from === to
          ? (from ?? '')
          : `${from} to ${to}`;
    return [{ start: first.window.start, end: last.window.end, label, costs }];
  });
}

/**
 * Returns one series for each name, with one value for each bar. The value is the total cost in the bar, or the cost
 * per day or month. Costs per day or month are averages over those hours of the bar that have elapsed by `now`.
 */
export function seriesOf(bars: readonly Bar[], rate: string, now: number): Series[] {
  const names = new Set(bars.flatMap(({ costs }) => [...costs.keys()]));
  return [...names].map((name) => ({
    name,
    values: bars.map((bar) => rated(bar.costs.get(name) ?? 0, pastHours(bar, now), rate)),
  }));
}

const units: Readonly<Record<BarUnit, string>> = {
  hour: 'one hour',
  day: 'one day',
  week: 'one week (from Sunday, cut off at the window)',
  month: 'one month (cut off at the window)',
};

/** Returns a text for users that explains the numbers in the chart and the table. */
export function aboutBars(unit: BarUnit, rate: string, currency: string): string {
  if (rate === 'total')
    return `Costs in ${currency}. Each bar covers ${units[unit]}; the table shows the total.`;
  const per = rate === 'day' ? 'per day' : 'per month of 730 hours';
  return `Costs in ${currency} ${per}, over elapsed hours. Each bar covers ${units[unit]}, the table the window.`;
}

function periodOf(window: WindowText, unit: BarUnit): string {
  const day = dayOf(window);
  switch (unit) {
    case 'week':
      // Weeks begin on Sunday. Day 0 of Unix time was a Thursday, four days after a Sunday.
      return String(Math.floor((Date.parse(day) / dayMs + 4) / 7));
    case 'month':
      return day.slice(0, 7);
    default:
      return window.start;
  }
}

/**
 * Returns the UTC day that contains most of the window. A window of 24 hours can overlap two UTC days, because the
 * server may be configured so that its days do not begin at midnight UTC.
 */
function dayOf(window: WindowText): string {
  return new Date(Date.parse(window.start) + lengthOf(window) / 2).toISOString().slice(0, 10);
}

function lengthOf({ start, end }: WindowText): number {
  return Date.parse(end) - Date.parse(start);
}
