import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFederationError } from '../errors/federation-error';
import { closingBody, discard } from './body';
import type {
  Bucket,
  CallOptions,
  GetOptions,
  ListEntry,
  ListOptions,
  ObjectBody,
  ObjectInfo,
  PutOptions,
} from './bucket';
import { alreadyThere } from './store-failure';

export interface RetryOptions {
  /** Number of attempts, including the first. (Default: 4) */
  readonly tries?: number;
  /**
   * Maximum length of the pause before the first retry, in milliseconds. The maximum doubles for each further retry.
   * (Default: 100)
   */
  readonly firstPauseMs?: number;
  /**
   * Maximum length of any pause, in milliseconds. If the store sends `Retry-After`, the pause may be longer. (Default:
   * 10,000)
   */
  readonly longestPauseMs?: number;
  /**
   * Number of retries that all calls of this bucket share. A successful call gives back the retries that it used, or
   * adds a fifth of a retry if it used none. Once the budget is used up, calls are no longer retried. So a store that
   * is down gets one request per call instead of `tries` requests. (Default: 100)
   */
  readonly budget?: number;
}

/**
 * Maximum pause for a `Retry-After` header, in milliseconds. If the store asks for a longer pause, the next attempt
 * comes too early, and the store can ask again.
 */
const longestAskedMs = 60_000;

const repeatableMark = Symbol('repeatable');

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Returns a body that can be read more than once: each read calls `make`, which could, for example, read a file again.
 * Any other stream cannot be sent again after a failed write, because it may already be used up.
 */
export function repeatable(make: () => AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return Object.assign(
    { [Symbol.asyncIterator]: () => make()[Symbol.asyncIterator]() },
    { [repeatableMark]: true },
  );
}

function canRepeat(body: Body): boolean {
  return body instanceof Uint8Array || repeatableMark in body;
}

/**
 * Wraps a bucket so that it retries calls that fail with a retryable error. The pause before each retry is random and
 * grows, unless the store asks for a longer one. If the connection breaks, a download resumes at the first missing
 * byte, and a listing resumes after its last entry. If the response to a `create` was lost, the stored bytes are
 * compared with those that were sent. If they are equal, the `create` has succeeded.
 */
export function withRetry(bucket: Bucket, options: RetryOptions = {}): Bucket {
  const limits = { tries: 4, firstPauseMs: 100, longestPauseMs: 10_000, budget: 100, ...options };
  const patience: Patience = { ...limits, account: retryAccount(limits.budget) };
  const again = <T>(call: CallOptions | undefined, attempt: Attempt<T>) =>
    retried(patience, call?.signal, attempt);

  async function get(key: string, call: GetOptions = {}): Promise<ObjectBody> {
    const { head, body } = await opened(bucket, key, call, patience);
    return { head, body: resumed(bucket, key, call, head, body, patience) };
  }

  async function write(
    verb: 'put' | 'create',
    key: string,
    body: Body,
    call?: PutOptions,
  ): Promise<ObjectInfo> {
    if (!canRepeat(body)) return bucket[verb](key, body, call);
    return again(call, async (previous) => {
      // A `create` of an existing object may look like a broken connection: some stores reject it before they read the
      // body, then close the connection. So check before a retry whether the object exists.
      const broke = verb === 'create' && isFederationError(previous, 'STORAGE_UNAVAILABLE');
      if (broke && (await bucket.head(key, { signal: call?.signal })) !== undefined) {
        const ours = await createdByUs(bucket, key, body, call);
        if (ours !== undefined) return ours;
        throw alreadyThere(key);
      }
      try {
        return await bucket[verb](key, body, call);
      } catch (error) {
        const maybeOurs =
          verb === 'create' &&
          previous !== undefined &&
          isFederationError(error, 'STORAGE_PRECONDITION_FAILED');
        const ours = maybeOurs ? await createdByUs(bucket, key, body, call) : undefined;
        if (ours === undefined) throw error;
        return ours;
      }
    });
  }

  return {
    type: bucket.type,
    label: bucket.label,
    list: (prefix, call) => listed(bucket, prefix, call ?? {}, patience),
    head: (key, call) => again(call, () => bucket.head(key, call)),
    get,
    put: (key, body, call) => write('put', key, body, call),
    create: (key, body, call) => write('create', key, body, call),
    copy: (from, to, call) => again(call, () => bucket.copy(from, to, call)),
    delete: (key, call) => again(call, () => bucket.delete(key, call)),
    close: () => bucket.close(),
  };
}

interface Patience extends Required<RetryOptions> {
  readonly account: RetryAccount;
}

/** Counts the retries that remain for all calls of a bucket. */
interface RetryAccount {
  /** Uses up one retry. Returns false if none remains. */
  take(): boolean;
  /** Credits the retries that a successful call used. If the call used none, credits a fifth of a retry. */
  refund(retries: number): void;
}

function retryAccount(capacity: number): RetryAccount {
  let left = capacity;
  return {
    take: () => {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    refund: (retries) => {
      left = Math.min(capacity, left + (retries || 0.2));
    },
  };
}

/** Makes one attempt at a call. `previous` is the error of the previous attempt; undefined for the first attempt. */
type Attempt<T> = (previous: unknown) => Promise<T>;

async function retried<T>(
  patience: Patience,
  signal: AbortSignal | undefined,
  attempt: Attempt<T>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<T> {
  let previous: unknown;
  for (let failures = 0; ;) {
    try {
      const result = await attempt(previous);
      patience.account.refund(failures);
      return result;
    } catch (error) {
      failures += 1;
      previous = error;
      if (failures >= patience.tries || isFinal(error)) throw error;
      await pause(error, failures, patience, signal);
    }
  }
}

/** Waits before the next attempt. Throws `error` instead if it is not retryable or no retries remain. */
async function pause(
  error: unknown,
  failures: number,
  patience: Patience,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (!isFederationError(error) || !error.retryable || !patience.account.take()) throw error;
  const longest = Math.min(patience.longestPauseMs, patience.firstPauseMs * 2 ** (failures - 1));
  const random = longest * (0.5 + Math.random() / 2);
  try {
    const asked = Math.min(error.retryAfterMs ?? 0, longestAskedMs);
    await sleep(Math.max(asked, random), undefined, { signal });
  } catch (aborted) {
    signal?.throwIfAborted();
    throw aborted;
  }
}

function opened(bucket: Bucket, key: string, call: GetOptions, patience: Patience): Promise<ObjectBody> {
  // If the requested version no longer exists, retries cannot succeed.
  const isFinal = (error: unknown) =>
    call.version !== undefined && isFederationError(error, 'STORAGE_CONFLICT');
  return retried(patience, call.signal, () => bucket.get(key, call), isFinal);
}

/**
 * Returns a body that resumes at the first missing byte if the connection breaks. It always reads the same version of
 * the object.
 */
function resumed(
  bucket: Bucket,
  key: string,
  call: GetOptions,
  head: ObjectInfo,
  first: AsyncIterable<Uint8Array>,
  patience: Patience,
): AsyncIterable<Uint8Array> {
  let current = first;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let offset = call.range?.offset ?? 0;
    const end = Math.min(head.size, offset + (call.range?.length ?? head.size));
    for (let failures = 0; ;) {
      try {
        for await (const chunk of current) {
          // Do not count empty chunks as progress. Otherwise, a body that yields only empty chunks would be retried
          // forever.
          if (chunk.length === 0) continue;
          offset += chunk.length;
          if (failures > 0) patience.account.refund(failures);
          failures = 0;
          yield chunk;
        }
        return;
      } catch (error) {
        failures += 1;
        const broken =
          isFederationError(error, 'STORAGE_UNAVAILABLE') || isFederationError(error, 'STORAGE_THROTTLED');
        if (!broken || failures >= patience.tries || offset >= end) throw error;
        await pause(error, failures, patience, call.signal);
      }
      const range = { offset, length: end - offset };
      current = (await opened(bucket, key, { ...call, range, version: head.version }, patience)).body;
    }
  }
  return closingBody(chunks(), () => discard(current));
}

/** Lists entries. After a retryable failure, resumes after the last entry that was yielded. */
async function* listed(
  bucket: Bucket,
  prefix: string,
  call: ListOptions,
  patience: Patience,
): AsyncGenerator<ListEntry> {
  let after = call.after;
  for (let failures = 0; ;) {
    try {
      for await (const entry of bucket.list(prefix, { ...call, after })) {
        after = entry.kind === 'prefix' ? entry.prefix : entry.key;
        if (failures > 0) patience.account.refund(failures);
        failures = 0;
        yield entry;
      }
      return;
    } catch (error) {
      failures += 1;
      if (failures >= patience.tries) throw error;
      await pause(error, failures, patience, call.signal);
    }
  }
}

/**
 * Checks whether a `create` has succeeded although its response was lost. Returns the stored object if its bytes are
 * those that were sent, otherwise undefined.
 */
async function createdByUs(
  bucket: Bucket,
  key: string,
  body: Body,
  call?: CallOptions,
): Promise<ObjectInfo | undefined> {
  const there = await bucket.get(key, { signal: call?.signal });
  if (body instanceof Uint8Array && body.length !== there.head.size) {
    await discard(there.body);
    return undefined;
  }
  const sent = body instanceof Uint8Array ? [body] : body;
  return (await sha256(there.body)) === (await sha256(sent)) ? there.head : undefined;
}

async function sha256(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
