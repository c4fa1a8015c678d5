import type { Accumulation, Step } from './request';
import type { Span } from './span';

/** The time spans (steps) for which a query computes results, and the periods into which these results are merged. */
export interface Steps {
  readonly steps: readonly Span[];
  /** The periods in time order. Each period becomes a result set. Each step belongs to one period. */
  readonly periods: readonly Span[];
  /** For each step, the index of its period in `periods`. */
  readonly periodOf: readonly number[];
}

const hour = 3_600;
const day = 24 * hour;
const week = 7 * day;

/**
 * Divides a window into steps, and assigns them to the periods that `accumulate` asks for. The first step begins at the
 * start of the window or of the first period, whichever is earlier.
 */
export function cutSteps(window: Span, step: Step, accumulate: Accumulation): Steps {
  const stepSeconds = step === 'window' ? window.end - window.start : step.seconds;
  // Calendar periods are always whole, even if they begin before the window or end after it.
  const periods = periodsOf(window, accumulate);
  const [first, last] = [periods?.[0], periods?.at(-1)];
  const from = first === undefined ? window.start : Math.min(window.start, first.start);
  const to = last === undefined ? window.end : Math.max(window.end, last.end);
  const steps: Span[] = [];
  for (let start = from; start < to; start += stepSeconds) steps.push({ start, end: start + stepSeconds });
  if (periods === undefined) return { steps, periods: steps, periodOf: steps.map((_, index) => index) };
  const periodOf = steps.map(({ start }) => {
    const found = periods.findIndex((period) => start >= period.start && start < period.end);
    return found < 0 ? periods.length - 1 : found;
  });
  return { steps, periods, periodOf };
}

/** Returns the periods of a window, or undefined if every step is a separate period. */
function periodsOf(window: Span, accumulate: Accumulation): Span[] | undefined {
  switch (accumulate) {
    case 'none':
      return undefined;
    case 'all':
      return [window];
    case 'weeknow': {
      const periods: Span[] = [];
      for (let end = window.end; end > window.start; end -= week) {
        periods.unshift({ start: Math.max(window.start, end - week), end });
      }
      return periods;
    }
    default: {
      const periods: Span[] = [];
      for (let start = startOf(accumulate, window.start); start < window.end;) {
        const end = nextAfter(accumulate, start);
        periods.push({ start, end });
        start = end;
      }
      return periods;
    }
  }
}

type Calendar = Exclude<Accumulation, 'none' | 'all' | 'weeknow'>;

/** Returns the start of the calendar period (in UTC) that contains a moment, in unix seconds. */
function startOf(unit: Calendar, moment: number): number {
  const date = new Date(moment * 1000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (unit) {
    case 'hour':
      return Math.floor(moment / hour) * hour;
    case 'day':
      return Math.floor(moment / day) * day;
    case 'week':
      // Weeks begin on Sunday. 1 January 1970 was a Thursday, which is four days after a Sunday: hence the 4.
      return Math.floor((moment + 4 * day) / week) * week - 4 * day;
    case 'month':
      return Date.UTC(year, month) / 1000;
    case 'quarter':
      return Date.UTC(year, month - (month % 3)) / 1000;
  }
}

/**
 * Maximum length of each kind of period, in seconds. The start of a period plus this length is always in the next
 * period.
 */
const longest: Record<Calendar, number> = { hour, day, week, month: 31 * day, quarter: 92 * day };

function nextAfter(unit: Calendar, start: number): number {
  return startOf(unit, start + longest[unit]);
}
