import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  log,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { type KeptError, ownHintIn } from '../errors/hints';
import type { Attempted, LoopSettings } from './messages';

/** State of a workflow that repeats the same step (an attempt) forever. */
export interface AttemptLoop<Summary> {
  /** True if another attempt was requested after the last one began. */
  requested: boolean;
  state: Attempted<Summary>;
  /** Time until the next attempt begins, in milliseconds. It begins earlier if it is requested. */
  waitMs: number;
  failures: number;
}

export function attemptLoop<Summary>(state: Attempted<Summary> | undefined): AttemptLoop<Summary> {
  return { requested: true, state: state ?? {}, waitMs: 0, failures: 0 };
}

/**
 * Returns the interval given in a signal, or the current interval if the signal contains none or an invalid one. An
 * invalid interval can only be ignored, since a signal cannot be rejected.
 */
export function intervalOf(settings: LoopSettings | null | undefined, soFarMs: number): number {
  const everyMs: unknown = settings?.everyMs;
  return typeof everyMs === 'number' && everyMs > 0 ? everyMs : soFarMs;
}

const firstWaitAfterFailureMs = 10_000;
const longestWaitAfterFailureMs = 300_000;

/**
 * Makes one attempt. Stores its result, and the time to wait until the next attempt: the interval, varied randomly by
 * up to a tenth. An error does not end the loop: it is logged and stored, and the next attempt follows after 10
 * seconds. This wait doubles with each further failure, up to five minutes, so that the loop recovers soon after the
 * cause is gone even if the interval is long. Only cancelling the workflow ends the loop.
 */
export async function nextAttempt<Summary>(
  loop: AttemptLoop<Summary>,
  what: string,
  everyMs: number,
  attempt: () => Promise<Summary>,
): Promise<void> {
  loop.requested = false;
  const at = new Date().toISOString();
  try {
    loop.state = { at, summary: await attempt() };
    loop.failures = 0;
    loop.waitMs = about(everyMs);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message, hint } = failureOf(error);
    loop.state = {
      ...loop.state,
      at,
      error: { code, message, ...(hint !== undefined && { hint }), since: loop.state.error?.since ?? at },
    };
    loop.failures += 1;
    const backoffMs = firstWaitAfterFailureMs * 2 ** Math.min(loop.failures - 1, 10);
    loop.waitMs = about(Math.min(everyMs, backoffMs, longestWaitAfterFailureMs));
    log.error(`${what} failed`, {
      code,
      reason: message,
      ...(hint !== undefined && { hint }),
      failures: loop.failures,
    });
  }
}

/**
 * Varies a wait randomly by up to a tenth, so that clusters that started or failed at the same time do not all continue
 * at the same time.
 */
function about(ms: number): number {
  return Math.round(ms * (0.9 + Math.random() / 5));
}

/**
 * Searches the error and its chain of causes for the first failure with a code. Returns the code and message of that
 * failure, and its hint if that is not the one in the catalogue. An activity that timed out has the code
 * STEP_TIMED_OUT: its process may have been killed.
 *
 * If no failure has a code, returns the code INTERNAL and the message of the error. For an ActivityFailure, returns the
 * message of its cause instead, because its own message only says that an activity failed. An error without a message
 * is described by its name.
 */
export function failureOf(error: unknown): KeptError {
  for (let at = error, step = ''; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && typeof at.type === 'string') {
      const hint = ownHintIn(at);
      return { code: at.type, message: at.message, ...(hint !== undefined && { hint }) };
    }
    if (at instanceof ActivityFailure) step = ` ${at.activityType}`;
    if (at instanceof TimeoutFailure)
      return { code: 'STEP_TIMED_OUT', message: `The step${step} did not end in time (${at.timeoutType}).` };
    if (at instanceof TerminatedFailure)
      return { code: 'RUN_DIED', message: 'A workflow that the run needs was terminated.' };
  }
  const innermost = error instanceof ActivityFailure && error.cause !== undefined ? error.cause : error;
  if (!(innermost instanceof Error)) return { code: 'INTERNAL', message: String(innermost) };
  return { code: 'INTERNAL', message: innermost.message || innermost.name };
}
