import { isFederationError } from '../errors/federation-error';
import { untilAborted } from './body';
import type { Bucket, CallOptions } from './bucket';
import { readSide } from './read-side';
import { alreadyThere } from './store-failure';

/**
 * How a store handles a `create` (a write on condition that the key does not exist) if the key does exist. `kept`: the
 * store rejects the write, as it must. `ignored`: the store ignores the condition and replaces the object. `unknown`:
 * the store does not support the condition and rejects every `create`.
 */
export type ConditionalCreate = 'kept' | 'ignored' | 'unknown';

/**
 * Tests how a store handles a `create` of an existing key: creates the same key twice, then deletes the object. If a
 * call fails, for example because access is denied, throws the store's error.
 */
export async function probeConditionalCreate(
  bucket: Bucket,
  key: string,
  options: CallOptions = {},
): Promise<ConditionalCreate> {
  try {
    await bucket.create(key, Buffer.from('first'), options);
    await bucket.create(key, Buffer.from('second'), options);
    return 'ignored';
  } catch (error) {
    if (isFederationError(error, 'STORAGE_PRECONDITION_FAILED')) return 'kept';
    if (isFederationError(error, 'STORAGE_UNSUPPORTED')) return 'unknown';
    throw error;
  } finally {
    await bucket.delete(key, options);
  }
}

/**
 * Wraps a bucket whose store does not support conditional writes: `create` first checks whether the object exists, then
 * writes it. Since these are two steps, two concurrent calls may both succeed. So the caller must prevent concurrent
 * calls in another way.
 */
export function lookBeforeCreate(bucket: Bucket): Bucket {
  return {
    ...readSide(bucket),
    put: (key, body, options) => bucket.put(key, body, options),
    copy: (from, to, options) => bucket.copy(from, to, options),
    delete: (key, options) => bucket.delete(key, options),
    async create(key, body, options = {}) {
      if ((await bucket.head(key, { signal: options.signal })) !== undefined) throw alreadyThere(key);
      return bucket.put(key, body, options);
    },
  };
}

/** Warning for operators whose store cannot reject a `create` of an existing key. */
export const unsafeWithoutCondition =
  'The store cannot create an object only if it is absent. Inside this Temporal namespace the commit workflow’s id is ' +
  'the lock, and it suffices; a second federator outside of the namespace is unsafe.';

/** A bucket that, before its first `create`, tests whether its store supports conditional writes. */
export interface ProbedBucket {
  readonly bucket: Bucket;
  /**
   * Tests whether the store supports conditional writes. Runs the test only once and then reuses the result. If the
   * test itself fails, throws its error, and the next call tests again.
   */
  conditionalCreate(options?: CallOptions): Promise<ConditionalCreate>;
}

/**
 * Wraps a bucket so that `create` also works if the store does not support conditional writes. The first `create` tests
 * the store with the object `key`. If conditional writes turn out to be unsupported, `create` first checks whether the
 * object exists, then writes it.
 */
export function withProbedCreate(bucket: Bucket, key: string): ProbedBucket {
  const careful = lookBeforeCreate(bucket);
  let probing: Promise<ConditionalCreate> | undefined;
  // All callers share one test, because concurrent tests with the same key would see each other's objects. So the test
  // ignores the callers' abort signals: otherwise one caller could abort the test of all callers.
  const probe = () =>
    (probing ??= probeConditionalCreate(bucket, key).catch((error: unknown) => {
      probing = undefined;
      throw error;
    }));
  const conditionalCreate = async ({ signal }: CallOptions = {}) => {
    signal?.throwIfAborted();
    return untilAborted(probe(), signal);
  };
  return {
    bucket: {
      ...careful,
      async create(created, body, options = {}) {
        const keeps = (await conditionalCreate({ signal: options.signal })) === 'kept';
        return (keeps ? bucket : careful).create(created, body, options);
      },
    },
    conditionalCreate,
  };
}
