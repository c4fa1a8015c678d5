import type { WatchedBody } from './body';
import type { CallOptions } from './bucket';
import { checkKey } from './check-key';

export interface DriverCall<T> extends CallOptions {
  readonly key: string;
  readonly run: () => Promise<T>;
  /**
   * Maps an error of the store or its SDK to a catalogued error, or to the signal's reason if the signal was aborted.
   */
  readonly failure: (error: unknown) => unknown;
  /** The body being written. An error that the body itself throws is rethrown unchanged. */
  readonly body?: WatchedBody;
}

/**
 * Runs one call of a driver. Checks the key first. If the signal is aborted, throws the signal's reason. Other errors
 * of the store are thrown as catalogued errors, errors of the caller's body unchanged.
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
