import type { Client } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';

/**
 * Asks Temporal something that must be answered within `withinMs`.
 *
 * @throws TEMPORAL_UNAVAILABLE if there is no answer in time
 */
export async function promptly<T>(client: Client, withinMs: number, ask: () => Promise<T>): Promise<T> {
  // Also set a timer: while the SDK is reconnecting, it ignores the deadline.
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
    return await Promise.race([client.withDeadline(Date.now() + withinMs, ask), late]);
  } finally {
    clearTimeout(timer);
  }
}
