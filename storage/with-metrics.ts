import { AsyncLocalStorage } from 'node:async_hooks';
import { FederationError } from '../errors/federation-error';
import { closingBody, discard } from './body';
import type { Bucket, ListEntry, ObjectBody } from './bucket';

/** One call that was made of a store, however it ended. */
export interface StorageCall {
  readonly verb: 'list' | 'head' | 'get' | 'put' | 'create' | 'copy' | 'delete';
  /** Of a listing the prefix, of a copy the destination. */
  readonly key: string;
  /** Until it ended; of a get or a listing until its reader was done. In milliseconds. */
  readonly ms: number;
  /** Read or written; of a listing nothing. */
  readonly bytes?: number;
  /** Of a listing. */
  readonly entries?: number;
  /** Of a listing: how many the store was asked for, which are so many requests. */
  readonly pages?: number;
  /** `ok`, a code of the catalogue, or `aborted` for what the caller ended. */
  readonly outcome: string;
}

/**
 * The same bucket, which tells each call it makes to `observe` when the call has ended, in the async context of who made
 * it. Put it right around a driver, so that every attempt counts.
 */
export function withMetrics(bucket: Bucket, observe: (call: StorageCall) => void): Bucket {
  async function observed<T>(
    verb: StorageCall['verb'],
    key: string,
    run: () => Promise<T>,
    bytesOf: (result: T) => number | undefined = () => undefined,
  ): Promise<T> {
    const tell = startOf(verb, key);
    try {
      const result = await run();
      tell('ok', { bytes: bytesOf(result) });
      return result;
    } catch (error) {
      tell(outcomeOf(error));
      throw error;
    }
  }

  /** Tells once, however often it is called. */
  function startOf(verb: StorageCall['verb'], key: string) {
    const start = performance.now();
    // Who reads a body to its end need not be who asked for it.
    const tell = AsyncLocalStorage.bind(observe);
    let told = false;
    return (outcome: string, amounts: Pick<StorageCall, 'bytes' | 'entries' | 'pages'> = {}) => {
      if (told) return;
      told = true;
      tell({ verb, key, outcome, ms: performance.now() - start, ...amounts });
    };
  }

  async function* list(prefix: string, options?: Parameters<Bucket['list']>[1]): AsyncGenerator<ListEntry> {
    const tell = startOf('list', prefix);
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
      tell(outcomeOf(error), { entries, pages });
      throw error;
    } finally {
      tell('ok', { entries, pages });
    }
  }

  async function get(key: string, options?: Parameters<Bucket['get']>[1]): Promise<ObjectBody> {
    const tell = startOf('get', key);
    try {
      const { head, body } = await bucket.get(key, options);
      return { head, body: observedBody(body, tell) };
    } catch (error) {
      tell(outcomeOf(error));
      throw error;
    }
  }

  function observedBody(body: AsyncIterable<Uint8Array>, tell: ReturnType<typeof startOf>) {
    let bytes = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of body) {
          bytes += chunk.length;
          yield chunk;
        }
      } catch (error) {
        tell(outcomeOf(error), { bytes });
        throw error;
      }
    }
    return closingBody(chunks(), async () => {
      tell('ok', { bytes });
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

function outcomeOf(error: unknown): string {
  return error instanceof FederationError ? error.code : 'aborted';
}
