import type { Summary } from './api-types';
import { moment, pastHours, rated, type WindowText } from './format';
import type { Series } from './series';

/** What a bar can be of. */
export type BarUnit = 'hour' | 'day' | 'week' | 'month';

/** A bar: the sets of a span, and what each name costs in all of them. */
export interface Bar extends WindowText {
  readonly label: string;
  readonly costs: ReadonlyMap<string, number>;
}

type SummarySet = Summary['sets'][number];
const dayMs = 86_400_000;

/** What bars are of: weeks or months where these were chosen, or else what the sets of the answer are of. */
export function unitOf(sets: readonly SummarySet[], chosen: string | undefined): BarUnit {
  if (chosen === 'week' || chosen === 'month') return chosen;
  return sets[0] !== undefined && lengthOf(sets[0].window) < dayMs ? 'hour' : 'day';
}

/** Puts sets together to bars. A week or month at the edge of the window is what lies in it, as the table's costs are. */
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

/** What each name costs in each bar: in all, or per day or month of the bar's own hours that are over. */
export function seriesOf(bars: readonly Bar[], rate: string, now: number): Series[] {
  const names = new Set(bars.flatMap(({ costs }) => [...costs.keys()]));
  return [...names].map((name) => ({
    name,
    values: bars.map((bar) => rated(bar.costs.get(name) ?? 0, pastHours(bar, now), rate)),
  }));
}

const units: Readonly<Record<BarUnit, string>> = {
  hour: 'an hour',
  day: 'a day',
  week: 'a week (from Sunday, cut at the window)',
  month: 'a month (cut at the window)',
};

/** What bars and table say, in a sentence. */
export function aboutBars(unit: BarUnit, rate: string, currency: string): string {
  if (rate === 'total')
    return `In ${currency}: each bar is what ${units[unit]} cost, the table is their total.`;
  const per = rate === 'day' ? 'per day' : 'per month of 730 hours';
  return `In ${currency} ${per}: each bar over the past hours of ${units[unit]}, the table over those of the window.`;
}

function periodOf(window: WindowText, unit: BarUnit): string {
  const day = dayOf(window);
  switch (unit) {
    case 'week':
      // 1970 began on a Thursday, and weeks begin on Sundays.
      return String(Math.floor((Date.parse(day) / dayMs + 4) / 7));
    case 'month':
      return day.slice(0, 7);
    default:
      return window.start;
  }
}

/** The day that most of a span lies in: a server's days may begin at another hour than those of UTC. */
function dayOf(window: WindowText): string {
  return new Date(Date.parse(window.start) + lengthOf(window) / 2).toISOString().slice(0, 10);
}

function lengthOf({ start, end }: WindowText): number {
  return Date.parse(end) - Date.parse(start);
}
