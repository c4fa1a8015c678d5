import type { ActivityOptions } from '@temporalio/common';

/**
 * How activities are retried. The code that raises an error decides whether a retry is worthwhile; if not, the failure
 * is non-retryable. The number of attempts is limited, so that a run fails visibly instead of retrying forever. Every
 * activity heartbeats, so that the loss of a worker is detected within the heartbeat time-out.
 */
const retry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 6,
} as const;

/** Options of activities that read or write a few objects. */
export const quickActivity = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;

/** Options of activities that list everything, or merge a large window. */
export const longActivity = {
  startToCloseTimeout: '1h',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;
