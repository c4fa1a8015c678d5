import { AsyncLocalStorage } from 'node:async_hooks';
import { FederationError } from '../errors/federation-error';
import { ownHint } from '../errors/hints';
import { closingBody, discard } from './body';
import type { Bucket, ListEntry, ObjectBody } from './bucket';

/** A finished call to a store, successful or not. */
export interface StorageCall {
  readonly verb: 'list' | 'head' | 'get' | 'put' | 'create' | 'copy' | 'delete';
  /** Key of the object. For a listing, its prefix; for a copy, the key of the destination. */
  readonly key: string;
  /**
   * Duration in milliseconds. For a `get` or a listing, it includes the time that the caller took to read the result.
   */
  readonly ms: number;
  /** Number of bytes read, written or copied; undefined for other operations. */
  readonly bytes?: number;
  /** Number of entries that a listing returned; undefined for other operations. */
  readonly entries?: number;
  /** Number of pages of a listing, each of which is one request; undefined for other operations. */
  readonly pages?: number;
  /** `ok`, the error's code, or `aborted` if the caller aborted the call. */
  readonly outcome: string;
  /** What to do about the error, if it is not what the catalogue says for its code. */
  readonly hint?: string;
}

/**
 * Wraps a bucket so that each call is reported to `observe` after it has ended. `observe` runs in the async context of
 * the caller. Wrap the driver directly, below `withRetry`, so that every attempt of a retried call is reported.
 */
export function withMetrics(bucket: Bucket, observe: (call: StorageCall) => void): Bucket {
  async function observed<T>(
    verb: StorageCall['verb'],
    key: string,
    run: () => Promise<T>,
    bytesOf: (result: T) => number | undefined = () => undefined,
  ): Promise<T> {
    const report = startOf(verb, key);
    try {
      const result = await run();
      report('ok', { bytes: bytesOf(result) });
      return result;
    } catch (error) {
      report(outcomeOf(error), hintOf(error));
      throw error;
    }
  }

  /** Starts timing a call. Returns a function that reports the end of the call. Only the first report counts. */
  function startOf(verb: StorageCall['verb'], key: string) {
    const start = performance.now();
    // Run `observe` in the async context of this call, because the body may be read in another context.
    const report = AsyncLocalStorage.bind(observe);
    let reported = false;
    return (outcome: string, more: Pick<StorageCall, 'bytes' | 'entries' | 'pages' | 'hint'> = {}) => {
      if (reported) return;
      reported = true;
      report({ verb, key, outcome, ms: performance.now() - start, ...more });
    };
  }

  async function* list(prefix: string, options?: Parameters<Bucket['list']>[1]): AsyncGenerator<ListEntry> {
    const report = startOf('list', prefix);
    let [entries, pages] = [0, 0];
    const onPage = () => {
      pages += 1;
      options?.onPage?.();
    };
    try {
      for await (const entry of bucket.list(prefix, { ...options, onPage })) {
        entries += 1;
        yield entry;
      }
    } catch (error) {
      report(outcomeOf(error), { entries, pages, ...hintOf(error) });
      throw error;
    } finally {
      report('ok', { entries, pages });
    }
  }

  async function get(key: string, options?: Parameters<Bucket['get']>[1]): Promise<ObjectBody> {
    const report = startOf('get', key);
    try {
      const { head, body } = await bucket.get(key, options);
      return { head, body: observedBody(body, report) };
    } catch (error) {
      report(outcomeOf(error), hintOf(error));
      throw error;
    }
  }

  function observedBody(body: AsyncIterable<Uint8Array>, report: ReturnType<typeof startOf>) {
    let bytes = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of body) {
          bytes += chunk.length;
          yield chunk;
        }
      } catch (error) {
        report(outcomeOf(error), { bytes, ...hintOf(error) });
        throw error;
      }
    }
    return closingBody(chunks(), async () => {
      report('ok', { bytes });
      await discard(body);
    });
  }

  return {
    type: bucket.type,
    label: bucket.label,
    list,
    get,
    head: (key, options) => observed('head', key, () => bucket.head(key, options)),
    put: (key, body, options) => observed('put', key, () => bucket.put(key, body, options), sizeOf),
    create: (key, body, options) => observed('create', key, () => bucket.create(key, body, options), sizeOf),
    copy: (from, to, options) => observed('copy', to, () => bucket.copy(from, to, options), sizeOf),
    delete: (key, options) => observed('delete', key, () => bucket.delete(key, options)),
    close: () => bucket.close(),
  };
}

function sizeOf({ size }: { size: number }): number {
  return size;
}

function hintOf(error: unknown): Pick<StorageCall, 'hint'> {
  if (!(error instanceof FederationError)) return {};
  const hint = ownHint(error.code, error.hint);
  return hint === undefined ? {} : { hint };
}

function outcomeOf(error: unknown): string {
  return error instanceof FederationError ? error.code : 'aborted';
}
