import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { knownError } from '../errors/known-error';
import type { ActivityRun } from './metrics';

/** The parts of Temporal's activity context that our activities use. Tests can pass their own. */
export interface ActivityContext {
  /** Tells Temporal that the activity is alive. `details` describes the activity's progress. */
  readonly heartbeat: (details?: unknown) => void;
  /** Aborted when the activity is cancelled or the worker shuts down. */
  readonly signal: AbortSignal;
}

/** The context of the activity that is currently running. It is looked up whenever a property is used. */
export const temporalContext: ActivityContext = {
  heartbeat: (details) => Context.current().heartbeat(details),
  get signal() {
    return Context.current().cancellationSignal;
  },
};

/**
 * Interval between heartbeats. It is well below the heartbeat timeout in workflows/retries.ts, so a single late
 * heartbeat does no harm.
 */
const heartbeatEveryMs = 5_000;

/**
 * Turns a function into a Temporal activity. The activity sends heartbeats while it runs: through them, it learns that
 * it has been cancelled, and Temporal notices if its worker dies. Its errors become Temporal failures, whose type is
 * the code of the error.
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
      observe({ activity, outcome, seconds: (performance.now() - started) / 1_000, result });
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

/** Called when an activity has finished, successfully or not. */
type Observe = (run: ActivityRun) => void;

/** Turns every function of an object into a Temporal activity with the same name. */
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
 * Converts an error to a Temporal failure. This is the only place that does so. The stack trace is replaced, because it
 * would reveal paths of this machine.
 */
export function asFailure(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted)
    return signal.reason instanceof CancelledFailure ? signal.reason : new CancelledFailure('cancelled');
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const known = knownError(error);
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
