/**
 * Returns a body that releases its resources exactly once: when it has been read to the end, when it has failed, or
 * when its `return` is called, even before its first chunk was requested. (In that case the `finally` of a plain
 * generator would not run.)
 */
export function closingBody(
  chunks: AsyncIterator<Uint8Array>,
  close: () => Promise<void>,
): AsyncIterable<Uint8Array> {
  let closing: Promise<void> | undefined;
  const closeOnce = () => (closing ??= close());
  const end = { done: true, value: undefined } as const;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    async next() {
      if (closing !== undefined) return end;
      try {
        const result = await chunks.next();
        if (result.done === true) await closeOnce();
        return result;
      } catch (error) {
        await closeOnce();
        throw error;
      }
    },
    async return() {
      await closeOnce();
      return end;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Releases a body that will not be read any further. */
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

/** A caller's body while it is written to a store. */
export interface WatchedBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Returns the error that the body itself threw, which is the caller's error and not the store's. */
  readonly failure: () => { readonly error: unknown } | undefined;
  /** Returns the number of bytes that have passed through so far. */
  readonly size: () => number;
}

/**
 * Watches a body, to distinguish its own failure from a failure of the store. Aborting the signal ends the body even if
 * it hangs.
 */
export function watchBody(body: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): WatchedBody {
  let failure: { error: unknown } | undefined;
  let size = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const source = (body instanceof Uint8Array ? single(body) : body)[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const result = await untilAborted(nextOf(source), signal);
        if (result.done === true) break;
        size += result.value.length;
        yield result.value;
      }
      ended = true;
    } finally {
      // Do not await this: if the body hangs, it does not respond to `return` either.
      if (!ended && failure === undefined) void source.return?.()?.then(undefined, () => undefined);
    }
  }
  async function nextOf(source: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await source.next();
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  return { chunks: chunks(), failure: () => failure, size: () => size };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/**
 * Returns the promise's result, or throws the signal's reason as soon as the signal is aborted. If the promise is
 * settled later, its result is dropped.
 */
export async function untilAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
