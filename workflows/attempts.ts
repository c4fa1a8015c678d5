import { ActivityFailure, ApplicationFailure, isCancellation, log } from '@temporalio/workflow';
import type { Attempted, LoopSettings } from './messages';

/** The state of a workflow that repeats one step forever. */
export interface AttemptLoop<Summary> {
  /** Whether an attempt was requested since the last one began. */
  requested: boolean;
  state: Attempted<Summary>;
  /** Longest time to wait for a request before the next attempt begins. */
  waitMs: number;
  failures: number;
}

export function attemptLoop<Summary>(state: Attempted<Summary> | undefined): AttemptLoop<Summary> {
  return { requested: true, state: state ?? {}, waitMs: 0, failures: 0 };
}

/**
 * Returns the interval given in a signal, or the current interval if the signal has none. A malformed interval is
 * ignored, since a signal cannot be rejected.
 */
export function intervalOf(settings: LoopSettings | null | undefined, soFarMs: number): number {
  const everyMs: unknown = settings?.everyMs;
  return typeof everyMs === 'number' && everyMs > 0 ? everyMs : soFarMs;
}

const firstWaitAfterFailureMs = 10_000;

/**
 * Makes one attempt, and stores its result and the time to wait afterwards: the interval, plus or minus up to a tenth.
 * An error never ends the loop: it is logged and stored, and the next attempt follows sooner than usual. Only
 * cancelling the workflow ends the loop.
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
    const { code, message } = failureOf(error);
    loop.state = { ...loop.state, at, error: { code, message, since: loop.state.error?.since ?? at } };
    loop.failures += 1;
    loop.waitMs = about(Math.min(everyMs, firstWaitAfterFailureMs * 2 ** Math.min(loop.failures - 1, 10)));
    log.error(`${what} failed`, { code, reason: message, failures: loop.failures });
  }
}

/**
 * Varies a wait by up to a tenth, so that clusters that started or failed together do not continue in the same second.
 */
function about(ms: number): number {
  return Math.round(ms * (0.9 + Math.random() / 5));
}

/**
 * Finds the first failure with a code in the chain of causes, and returns its code and message. If there is none, the
 * code is INTERNAL.
 */
export function failureOf(error: unknown): { code: string; message: string } {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && typeof at.type === 'string')
      return { code: at.type, message: at.message };
  }
  const innermost = error instanceof ActivityFailure && error.cause !== undefined ? error.cause : error;
  return { code: 'INTERNAL', message: innermost instanceof Error ? innermost.message : String(innermost) };
}
