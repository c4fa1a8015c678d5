import type { Accumulation, Step } from '../../../query/request';
import type { Span } from '../../../query/span';

const day = 86_400;
const week = 7 * day;
/** 1970-01-04, the first Sunday after the Unix epoch, in Unix seconds. */
const firstSunday = 3 * day;

/** One set of an answer: its window, and the time steps whose costs it contains. */
export interface PlannedSet {
  readonly window: Span;
  readonly steps: readonly Span[];
}

/** Determines the sets of an answer and the steps of each set. Both are in chronological order. */
export function planSets(request: {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
}): PlannedSet[] {
  const { window, step, accumulate } = request;
  if (accumulate === 'none') return cut(window, step).map((one) => ({ window: one, steps: [one] }));
  if (accumulate === 'all') return [{ window, steps: cut(window, step) }];
  const periods = periodsOf(window, accumulate);
  if (step === 'window') return periods.map((period) => ({ window: period, steps: [period] }));
  const first = periods[0];
  const last = periods.at(-1);
  if (first === undefined || last === undefined) return [];
  const steps = cut({ start: first.start, end: last.end }, step);
  return periods.map((period) => ({
    window: period,
    steps: steps.filter(({ start }) => start >= period.start && start < period.end),
  }));
}

/** Cuts a window into steps. The end of the last step may be after the end of the window. */
export function cut(window: Span, step: Step): Span[] {
  if (step === 'window') return [window];
  const steps: Span[] = [];
  for (let start = window.start; start < window.end; start += step.seconds) {
    steps.push({ start, end: start + step.seconds });
  }
  return steps;
}

type Periodic = Exclude<Accumulation, 'none' | 'all'>;

function periodsOf(window: Span, accumulation: Periodic): Span[] {
  return accumulation === 'weeknow' ? weeksBack(window) : calendarPeriods(window, accumulation);
}

/**
 * Returns the calendar periods that overlap a window. The first may begin before the window, and the last may end after
 * it.
 */
function calendarPeriods(window: Span, accumulation: Exclude<Periodic, 'weeknow'>): Span[] {
  const periods: Span[] = [];
  let start = periodStart(window.start, accumulation);
  while (start < window.end) {
    const end = periodEnd(start, accumulation);
    periods.push({ start, end });
    start = end;
  }
  return periods;
}

function periodStart(time: number, accumulation: Exclude<Periodic, 'weeknow'>): number {
  const date = new Date(time * 1000);
  switch (accumulation) {
    case 'hour':
      return Math.floor(time / 3_600) * 3_600;
    case 'day':
      return Math.floor(time / day) * day;
    case 'week':
      return Math.floor((time - firstSunday) / week) * week + firstSunday;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / 1000;
    case 'quarter':
      return Date.UTC(date.getUTCFullYear(), Math.floor(date.getUTCMonth() / 3) * 3) / 1000;
  }
}

function periodEnd(start: number, accumulation: Exclude<Periodic, 'weeknow'>): number {
  const date = new Date(start * 1000);
  switch (accumulation) {
    case 'hour':
      return start + 3_600;
    case 'day':
      return start + day;
    case 'week':
      return start + week;
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / 1000;
    case 'quarter':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 3) / 1000;
  }
}

/** Cuts a window into blocks of seven days, counted back from its end. The earliest block may be shorter. */
function weeksBack(window: Span): Span[] {
  const blocks: Span[] = [];
  for (let { end } = window; end > window.start; end -= week) {
    blocks.unshift({ start: Math.max(window.start, end - week), end });
  }
  return blocks;
}
