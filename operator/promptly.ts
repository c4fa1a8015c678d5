import type { Client } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';
import { slowServer } from '../errors/temporal-failure';

/**
 * Time from the end of `withinMs` (see `promptly`), when the caller stops waiting, to the SDK's own deadline for the
 * call, in milliseconds.
 */
const afterwardsMs = 1_000;

/**
 * Sends Temporal a request that must be answered within `withinMs`.
 *
 * @throws TEMPORAL_UNAVAILABLE if there is no answer in time
 */
export async function promptly<T>(client: Client, withinMs: number, ask: () => Promise<T>): Promise<T> {
  // The deadline of the call is not enough: the SDK ignores it while it is reconnecting. So also use a timer.
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new FederationError('TEMPORAL_UNAVAILABLE', {
          detail: `Temporal did not answer within ${withinMs / 1_000} s.`,
          hint: slowServer,
        }),
      ),
    withinMs,
  );
  try {
    // The deadline is later than the timer. So a call that takes too long always fails with the error of the timer.
    return await Promise.race([client.withDeadline(Date.now() + withinMs + afterwardsMs, ask), late]);
  } finally {
    clearTimeout(timer);
  }
}
