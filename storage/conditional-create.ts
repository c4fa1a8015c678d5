import { isFederationError } from '../errors/federation-error';
import { untilAborted } from './body';
import type { Bucket, CallOptions } from './bucket';
import { readSide } from './read-side';
import { alreadyThere } from './store-failure';

/**
 * How a store treats a `create` of an existing key. `kept`: it rejects the call, as it should. `ignored`: it ignores
 * the condition and replaces the object. `unknown`: it does not support the condition and rejects every `create`.
 */
export type ConditionalCreate = 'kept' | 'ignored' | 'unknown';

/**
 * Finds out how a store treats a `create` of an existing key: creates one key twice, then deletes the object. Throws an
 * error of the store if it does not answer that question.
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
 * Wraps a store without conditional writes: `create` first checks whether the object exists, then puts it. Two
 * concurrent calls may both succeed, so the caller needs another lock.
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

/** Warning for operators whose store does not honour the condition of a `create`. */
export const unsafeWithoutCondition =
  'The store cannot create an object only if it is absent. Inside this Temporal namespace the commit workflow’s id is ' +
  'the lock, and it suffices; a second federator outside of the namespace is unsafe.';

/** A bucket that probes its store before its first `create`. */
export interface ProbedBucket {
  readonly bucket: Bucket;
  /**
   * Returns the result of the probe. The probe runs only once, unless it fails: then its error is thrown, and the next
   * call probes again.
   */
  conditionalCreate(options?: CallOptions): Promise<ConditionalCreate>;
}

/**
 * Wraps a bucket. If its store does not honour the condition of a `create`, `create` first looks whether the object
 * exists. The probe writes the object `key`.
 */
export function withProbedCreate(bucket: Bucket, key: string): ProbedBucket {
  const careful = lookBeforeCreate(bucket);
  let probing: Promise<ConditionalCreate> | undefined;
  // All callers share one probe, because two probes of one key would see each other's objects. So the signal of one
  // caller must not abort it.
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
