import { createHash } from 'node:crypto';
import { isFederationError } from '../errors/federation-error';
import type { BucketReader } from '../storage/bucket';

/** The size and the SHA-256 digest of an object. */
export interface ObjectFacts {
  readonly size: number;
  readonly digest: string;
}

/** Reads an object and computes its digest. Returns a sentence instead if the object is missing or damaged. */
export async function readDigest(bucket: BucketReader, key: string): Promise<ObjectFacts | string> {
  try {
    const { head, body } = await bucket.get(key);
    const hash = createHash('sha256');
    for await (const chunk of body) hash.update(chunk);
    return { size: head.size, digest: hash.digest('hex') };
  } catch (error) {
    return whatFailed(error);
  }
}

/** Returns a sentence that says how an object differs from what it should be; undefined if it does not differ. */
export function describeDifference(found: ObjectFacts | string, expected: ObjectFacts): string | undefined {
  if (typeof found === 'string') return found;
  if (found.size !== expected.size) return `It has ${found.size} bytes, not ${expected.size}.`;
  if (found.digest === expected.digest) return undefined;
  return 'Its bytes changed since they were written: the digest differs.';
}

export const isMissing = 'It is missing.';

/** Describes an error that shows that an object is missing or damaged. Rethrows any other error. */
export function whatFailed(error: unknown): string {
  if (isFederationError(error, 'STORAGE_NOT_FOUND')) return isMissing;
  if (isFederationError(error, 'STORAGE_CORRUPT')) return error.detail;
  throw error;
}
