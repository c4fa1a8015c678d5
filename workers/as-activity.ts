import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { FederationError } from '../errors/federation-error';
import type { ActivityRun } from './metrics';

/** What an activity needs from Temporal. Tests can supply their own. */
export interface ActivityContext {
  /** Reports that the activity is alive, and its progress. */
  readonly heartbeat: (details?: unknown) => void;
  /** Aborted when the activity is cancelled or the worker shuts down. */
  readonly signal: AbortSignal;
}

/** Context of the activity that is running when a property is read. */
export const temporalContext: ActivityContext = {
  heartbeat: (details) => Context.current().heartbeat(details),
  get signal() {
    return Context.current().cancellationSignal;
  },
};

/**
 * Interval between heartbeats. It is well below the heartbeat time-out in workflows/retries.ts, so that one late
 * heartbeat does no harm.
 */
const heartbeatEveryMs = 5_000;

/**
 * Turns a function into an activity. While it runs, the activity sends heartbeats, so that it learns of a cancellation
 * and Temporal notices the loss of its worker. Its errors become Temporal failures whose type is the code from the
 * catalogue.
 */
export function asActivity<Args extends unknown[], Result>(
  work: (...args: Args) => Promise<Result>,
  observe: Observe = () => undefined,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const context = Context.current();
    const activity = context.info.activityType;
    const started = performance.now();
    const report = (outcome: string, result?: unknown) =>
      observe({ activity, outcome, seconds: (performance.now() - started) / 1_000, args, result });
    const beat = setInterval(() => context.heartbeat(), heartbeatEveryMs);
    try {
      const result = await work(...args);
      report('ok', result);
      return result;
    } catch (error) {
      const failure = asFailure(error, context.cancellationSignal);
      report((failure instanceof ApplicationFailure ? failure.type : undefined) ?? 'cancelled');
      throw failure;
    } finally {
      clearInterval(beat);
    }
  };
}

/** Called after each run of an activity. */
type Observe = (run: ActivityRun) => void;

/** Turns all functions of an object into activities with the same names. */
export function asActivities<Activities extends object>(
  activities: Activities,
  observe?: Observe,
): Activities {
  const entries = Object.entries(activities).map(([name, work]) => [
    name,
    asActivity(work as (...args: unknown[]) => Promise<unknown>, observe),
  ]);
  return Object.fromEntries(entries) as Activities;
}

/**
 * Converts an error to a Temporal failure; no other code does this. The stack is replaced, since it would show paths of
 * this machine.
 */
export function asFailure(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted)
    return signal.reason instanceof CancelledFailure ? signal.reason : new CancelledFailure('cancelled');
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const known =
    error instanceof FederationError
      ? error
      : new FederationError('INTERNAL', {
          detail: error instanceof Error ? error.message : String(error),
          cause: error,
        });
  const failure = ApplicationFailure.create({
    type: known.code,
    message: known.detail,
    nonRetryable: !known.retryable,
    details: [{ subject: known.subject, hint: known.hint }],
    ...(known.retryAfterMs === undefined ? {} : { nextRetryDelay: known.retryAfterMs }),
  });
  failure.stack = `${known.code}: ${known.detail}`;
  return failure;
}
