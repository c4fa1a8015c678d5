import type { WatchedBody } from './body';
import type { CallOptions } from './bucket';
import { checkKey } from './check-key';

export interface DriverCall<T> extends CallOptions {
  readonly key: string;
  readonly run: () => Promise<T>;
  /**
   * Converts an error of the store or its SDK to a FederationError. If the signal was aborted, returns the signal's
   * reason instead.
   */
  readonly failure: (error: unknown) => unknown;
  /** The body to be written, if the call is a write. An error that the body itself throws is rethrown unchanged. */
  readonly body?: WatchedBody;
}

/**
 * Runs one call of a storage driver. Throws STORAGE_INVALID_KEY if the key is invalid, and the signal's reason if the
 * signal is aborted. An error that the caller's body throws is rethrown unchanged. All other errors are converted by
 * `failure`.
 */
export async function driverCall<T>({ key, signal, run, failure, body }: DriverCall<T>): Promise<T> {
  checkKey(key);
  signal?.throwIfAborted();
  try {
    return await run();
  } catch (error) {
    const own = body?.failure();
    throw own === undefined ? failure(error) : own.error;
  }
}
