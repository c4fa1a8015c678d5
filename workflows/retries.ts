import type { ActivityOptions } from '@temporalio/common';

/**
 * How activities are retried. Which errors are worth it is decided where they are raised: those that are not come as
 * non-retryable failures. Attempts are bounded, so that a run fails loudly instead of trying for ever. Every activity
 * heartbeats, so that the loss of a worker is noticed within the heartbeat's time-out.
 */
const retry = {
  initialInterval: '1s',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 6,
} as const;

/** Reading or writing a few objects. */
export const quickActivity = {
  startToCloseTimeout: '5m',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;

/** Walking over everything there is, or merging a large window. */
export const longActivity = {
  startToCloseTimeout: '1h',
  heartbeatTimeout: '20s',
  retry,
} as const satisfies ActivityOptions;
