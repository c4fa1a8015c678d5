/**
 * Wraps an iterator of chunks in a body that calls `close` exactly once: after the last chunk, after an error, or when
 * the consumer calls `return`. A generator with a `finally` block would not be enough: if `return` is called before the
 * first chunk is requested, that block never runs.
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

/** Releases the resources of a body, such as a connection, without reading the rest of the body. */
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

/** A body that is being written to a store, as wrapped by `watchBody`. */
export interface WatchedBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  /**
   * Returns the error that the caller's body threw, or undefined if it threw none. Never returns an error of the store.
   */
  readonly failure: () => { readonly error: unknown } | undefined;
  /** Returns the number of bytes that have been read from the body so far. */
  readonly size: () => number;
}

/**
 * Wraps the body of a write, so that an error of the body can be distinguished from an error of the store. If the
 * signal is aborted, reading the wrapped body throws at once, even if the caller's body hangs.
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
      // Do not await `return`: if the body hangs, `return` hangs too.
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
 * Waits for a promise and returns its result. If the signal is aborted first, throws the signal's reason at once and
 * ignores the promise.
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
