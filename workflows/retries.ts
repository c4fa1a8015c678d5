import type { ActivityOptions } from '@temporalio/common';

/**
 * Retry policy of all activities. The code that raises an error decides whether a retry makes sense; if not, the
 * failure is non-retryable. The number of attempts is limited, so that a run fails visibly instead of retrying forever.
 */
const retry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 6,
} as const;

/**
 * Options of activities that read or write only a few objects. Activities send heartbeats, so that Temporal notices
 * within the heartbeat timeout if their worker has died.
 */
export const quickActivity = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;

/** Options of activities that may take a long time, for example to list the whole bucket or merge a large window. */
export const longActivity = {
  startToCloseTimeout: '1h',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;
