import type { WatchedBody } from './body';
import type { CallOptions } from './bucket';
import { checkKey } from './check-key';

export interface DriverCall<T> extends CallOptions {
  readonly key: string;
  readonly run: () => Promise<T>;
  /** Names in our terms what the store or its library threw, or the signal's reason where that was aborted. */
  readonly failure: (error: unknown) => unknown;
  /** What is being written. Its own failure is its maker's, and passes as it is. */
  readonly body?: WatchedBody;
}

/**
 * One call of a driver: the key is checked before it, an abort ends it with the signal's reason, and what goes wrong
 * leaves as a catalogued error.
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
