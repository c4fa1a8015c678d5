import { isFederationError } from '../errors/federation-error';
import { untilAborted } from './body';
import type { Bucket, CallOptions } from './bucket';
import { readSide } from './read-side';
import { alreadyThere } from './store-failure';

/**
 * How a store treats a `create` of an existing key: rejects it, as it should; replaces the object, since it ignores
 * conditions; or rejects every `create`, since it does not support the condition.
 */
export type ConditionalCreate = 'kept' | 'ignored' | 'unknown';

/** Probes by creating one key twice, and removes it. Throws errors other than missing support for conditions. */
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
 * Wraps a store without conditional writes: a `create` checks first, then puts. Two concurrent calls may both succeed, so
 * the caller needs another lock.
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

/** Warning for operators of a store that does not honour the condition. */
export const unsafeWithoutCondition =
  'The store cannot create an object only if it is absent. Inside this Temporal namespace the commit workflow’s id is ' +
  'the lock, and it suffices; a second federator outside of the namespace is unsafe.';

/** A bucket whose store is probed before its first `create`. */
export interface ProbedBucket {
  readonly bucket: Bucket;
  /** The result of the probe, which runs once. Throws like a write while the probe fails. */
  conditionalCreate(options?: CallOptions): Promise<ConditionalCreate>;
}

/** Wraps a bucket: its `create` checks first if the store does not honour the condition. `key` is used for the probe. */
export function withProbedCreate(bucket: Bucket, key: string): ProbedBucket {
  const careful = lookBeforeCreate(bucket);
  let probing: Promise<ConditionalCreate> | undefined;
  // One probe shared by all callers, so none of them may abort it; two on one key would see each other's objects.
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
