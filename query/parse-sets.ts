import { invalid } from './invalid';
import type { Parameters } from './legacy-filters';
import { parseStep } from './parse-step';
import { parseWindow } from './parse-window';
import type { Accumulation, Step } from './request';
import type { RequestDefaults } from './request-defaults';
import type { Span } from './span';
import { cutSteps } from './steps';

const hour = 3_600;
const day = 24 * hour;
/** Maximum number of sets in a query result. Nobody would read more. */
const mostSets = 10_000;

/** How the window of a query is divided into result sets. */
export interface Sets {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
}

/** Parses the window of a query that returns a single result set. Throws QUERY_INVALID if a parameter is invalid. */
export function parseOneSet(parameters: Parameters, defaults: RequestDefaults): Sets {
  // The parameter `step` has no effect here, but an invalid value is still an error.
  parseStep(parameters['step']);
  return { window: parseWindow(parameters['window'], defaults), step: 'window', accumulate: 'all' };
}

/**
 * Determines how the window of a query is divided into result sets. This depends on the API, the window, the step and
 * the accumulation. Throws QUERY_INVALID if a parameter is invalid or there would be too many sets.
 */
export function parseSets(parameters: Parameters, defaults: RequestDefaults, accumulate: Accumulation): Sets {
  const asked = parseWindow(parameters['window'], defaults);
  const given = parseStep(parameters['step']);
  const daily = { seconds: day };
  const stored = { seconds: storedSeconds(asked, accumulate) };
  // If there is no step, Kubecost returns whole stored hours or days. So extend the window to whole hours or days.
  const window =
    defaults.flavour === 'kubecost' && given === undefined ? snapped(asked, stored.seconds, defaults) : asked;
  const sets = (): Omit<Sets, 'window'> => {
    if (given === 'month' || given === 'quarter') {
      return { step: daily, accumulate: accumulate === 'none' ? given : accumulate };
    }
    if (given !== undefined) return { step: given, accumulate };
    if (defaults.flavour === 'kubecost') return { step: stored, accumulate };
    return { step: accumulate === 'none' || accumulate === 'all' ? 'window' : stored, accumulate };
  };
  const { step, accumulate: accumulated } = sets();
  const count = countSets(window, step, accumulated);
  if (count > mostSets) {
    throw invalid(
      'window',
      parameters['window'] ?? '',
      `has ${count} sets with this step and accumulation; at most ${mostSets} are allowed.`,
    );
  }
  return { window, step, accumulate: accumulated };
}

/**
 * Returns the length, in seconds, of the stored windows from which a query without a step is answered: an hour or a
 * day.
 */
function storedSeconds({ start, end }: Span, accumulate: Accumulation): number {
  switch (accumulate) {
    case 'hour':
      return hour;
    // For periods of a day or longer, use whole days, even if the window is shorter than a day.
    case 'day':
    case 'week':
    case 'month':
    case 'quarter':
      return day;
    default:
      return end - start < day ? hour : day;
  }
}

/**
 * Returns the number of steps or the number of periods, whichever is larger. If there are too many steps, returns
 * early, because computing the periods would take long.
 */
function countSets(window: Span, step: Step, accumulate: Accumulation): number {
  if (step === 'window') return 1;
  const length = window.end - window.start;
  const least = Math.ceil(length / (accumulate === 'hour' ? Math.min(hour, step.seconds) : step.seconds));
  if (least > mostSets) return least;
  // Calendar periods, such as weeks, are always whole, so the first one may begin before the window, and the last one
  // may end after it. The request's steps are counted from the start of the first period to the end of the last.
  // `cutSteps` finds these periods. It would also create the steps, which are not needed yet. To avoid that, pass a
  // step that is longer than all periods together. The periods extend less than 100 days beyond each end of the window,
  // because no calendar period is longer than a quarter.
  const { periods } = cutSteps(window, { seconds: length + 200 * day }, accumulate);
  const [first = window, last = window] = [periods[0], periods.at(-1)];
  const reach =
    accumulate === 'none' ? length : Math.max(window.end, last.end) - Math.min(window.start, first.start);
  return Math.max(Math.ceil(reach / step.seconds), periods.length);
}

function snapped(
  { start, end }: Span,
  size: number,
  { utcOffsetSeconds }: { readonly utcOffsetSeconds: number },
): Span {
  // Stored hours begin at full hours of UTC. Only the start of days depends on the time zone.
  const offset = size === day ? utcOffsetSeconds : 0;
  return {
    start: Math.floor((start + offset) / size) * size - offset,
    end: Math.ceil((end + offset) / size) * size - offset,
  };
}
