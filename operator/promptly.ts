import type { Client } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';

/** Time after which the SDK gives up a call whose answer nobody waits for any more, in milliseconds. */
const afterwardsMs = 1_000;

/**
 * Asks Temporal something that must be answered within `withinMs`.
 *
 * @throws TEMPORAL_UNAVAILABLE if there is no answer in time
 */
export async function promptly<T>(client: Client, withinMs: number, ask: () => Promise<T>): Promise<T> {
  // The deadline alone is not enough: while the SDK is reconnecting, it ignores it.
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new FederationError('TEMPORAL_UNAVAILABLE', {
          detail: `Temporal did not answer within ${withinMs / 1_000} s.`,
        }),
      ),
    withinMs,
  );
  try {
    // The deadline is later than the timer. So a call that is too late always fails with the same error.
    return await Promise.race([client.withDeadline(Date.now() + withinMs + afterwardsMs, ask), late]);
  } finally {
    clearTimeout(timer);
  }
}
