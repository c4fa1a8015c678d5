import { FederationError } from '../../errors/federation-error';
import type { Bucket } from '../../storage/bucket';

/** What is lost when a call fails: the request, before it has any effect, or the response to a successful request. */
export type Fault = 'request lost' | 'answer lost';
type Method = 'head' | 'get' | 'put' | 'create' | 'copy' | 'delete';

export interface Faults {
  /**
   * For each method, the faults of its calls, in the order of the calls. A call whose fault is `undefined` succeeds.
   */
  readonly calls?: Partial<Record<Method, (Fault | FederationError | undefined)[]>>;
  /** For each body, in the order of reading, the number of bytes after which it breaks off. */
  readonly bodies?: number[];
  /** For each listing, in the order of the calls, the number of entries after which it breaks off. */
  readonly lists?: number[];
}

export interface FaultyBucket extends Bucket {
  /** Number of calls so far, by method. */
  readonly made: Record<Method | 'list', number>;
  /** Makes the next call of `method` fail with `fault`. */
  fail(method: Method, fault: Fault): void;
}

export function unavailable(detail = 'the connection broke'): FederationError {
  return new FederationError('STORAGE_UNAVAILABLE', { detail });
}

/** Wraps a bucket so that calls, bodies and listings fail as described by `faults`. */
export function withFaults(bucket: Bucket, faults: Faults): FaultyBucket {
  const made = { head: 0, get: 0, put: 0, create: 0, copy: 0, delete: 0, list: 0 };
  const bodies = [...(faults.bodies ?? [])];
  const lists = [...(faults.lists ?? [])];
  const next = new Map<Method, Fault>();

  async function call<T>(method: Method, run: () => Promise<T>): Promise<T> {
    const fault = next.get(method) ?? faults.calls?.[method]?.[made[method]];
    next.delete(method);
    made[method] += 1;
    if (fault instanceof FederationError) throw fault;
    if (fault === 'request lost') throw unavailable();
    const result = await run();
    if (fault === 'answer lost') throw unavailable();
    return result;
  }

  async function* broken(body: AsyncIterable<Uint8Array>, after: number): AsyncGenerator<Uint8Array> {
    let left = after;
    for await (const chunk of body) {
      if (left > 0) yield chunk.subarray(0, left);
      left -= chunk.length;
      if (left <= 0) throw unavailable();
    }
  }

  return {
    type: bucket.type,
    label: bucket.label,
    made,
    fail: (method, fault) => void next.set(method, fault),
    async *list(prefix, options) {
      made.list += 1;
      let left = lists.shift() ?? Infinity;
      for await (const entry of bucket.list(prefix, options)) {
        if (left === 0) throw unavailable();
        left -= 1;
        yield entry;
      }
    },
    head: (key, options) => call('head', () => bucket.head(key, options)),
    get: (key, options) =>
      call('get', async () => {
        const { head, body } = await bucket.get(key, options);
        const after = bodies.shift();
        return { head, body: after === undefined ? body : broken(body, after) };
      }),
    put: (key, body, options) => call('put', () => bucket.put(key, body, options)),
    create: (key, body, options) => call('create', () => bucket.create(key, body, options)),
    copy: (from, to, options) => call('copy', () => bucket.copy(from, to, options)),
    delete: (key, options) => call('delete', () => bucket.delete(key, options)),
    close: () => bucket.close(),
  };
}
