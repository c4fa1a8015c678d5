import { isFederationError } from '../errors/federation-error';
import { untilAborted } from './body';
import type { Bucket, CallOptions } from './bucket';
import { readSide } from './read-side';
import { alreadyThere } from './store-failure';

/**
 * What a store does with a `create` of a key that exists: refuse it, as it should; replace the object all the same, as
 * it knows nothing of conditions; or refuse every `create`, as it does not know the condition.
 */
export type ConditionalCreate = 'kept' | 'ignored' | 'unknown';

/** Creates one key twice and removes it again; other errors than a store's ignorance are thrown. */
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
 * The same bucket for a store without conditional writes: a `create` looks first, then puts. Two at the same moment may
 * both succeed, so whoever uses it needs another lock.
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

/** What a person has to know of a store that does not keep the condition. */
export const unsafeWithoutCondition =
  'The store cannot create an object only if it is absent. Inside this Temporal namespace the commit workflow’s id is ' +
  'the lock, and it suffices; a second federator outside of the namespace is unsafe.';

/** A bucket whose store is probed when it first has to create something. */
export interface ProbedBucket {
  readonly bucket: Bucket;
  /** What the store does; found out once. Throws as a write does while that cannot be found out. */
  conditionalCreate(options?: CallOptions): Promise<ConditionalCreate>;
}

/** The same bucket, whose creates look first where the store does not keep the condition. `key` is where it is probed. */
export function withProbedCreate(bucket: Bucket, key: string): ProbedBucket {
  const careful = lookBeforeCreate(bucket);
  let probing: Promise<ConditionalCreate> | undefined;
  // One probe for all who ask, so none of theirs to abort: of two on one key, each would meet the other's objects.
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
