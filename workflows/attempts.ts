import { ActivityFailure, ApplicationFailure, isCancellation, log } from '@temporalio/workflow';
import type { Attempted, LoopSettings } from './messages';

/** The state of a workflow that does one thing again and again, for ever. */
export interface AttemptLoop<Summary> {
  /** Whether it was asked for since the last attempt began. */
  requested: boolean;
  state: Attempted<Summary>;
  /** How long to wait for a request before the next attempt. */
  waitMs: number;
  failures: number;
}

export function attemptLoop<Summary>(state: Attempted<Summary> | undefined): AttemptLoop<Summary> {
  return { requested: true, state: state ?? {}, waitMs: 0, failures: 0 };
}

/** The interval that a signal brings, else the one so far. What is sent by mistake cannot be refused: it is passed over. */
export function intervalOf(settings: LoopSettings | null | undefined, soFarMs: number): number {
  const everyMs: unknown = settings?.everyMs;
  return typeof everyMs === 'number' && everyMs > 0 ? everyMs : soFarMs;
}

const firstWaitAfterFailureMs = 10_000;

/**
 * Does it once and remembers how it went, and says how long to wait then: the interval, a tenth more or less. An error
 * never ends the loop: it is told of (log and state), and the next attempt comes sooner than the usual one. Cancelling the
 * workflow does end it.
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

/** A tenth more or less: clusters that began together, or failed together, are not to go on in the same second. */
function about(ms: number): number {
  return Math.round(ms * (0.9 + Math.random() / 5));
}

/** The catalogued code and the sentence of what failed, wherever in the chain they stand. */
export function failureOf(error: unknown): { code: string; message: string } {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && typeof at.type === 'string')
      return { code: at.type, message: at.message };
  }
  const innermost = error instanceof ActivityFailure && error.cause !== undefined ? error.cause : error;
  return { code: 'INTERNAL', message: innermost instanceof Error ? innermost.message : String(innermost) };
}
