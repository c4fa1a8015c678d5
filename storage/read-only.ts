import { FederationError } from '../errors/federation-error';
import type { Bucket, BucketReader } from './bucket';
import { readSide } from './read-side';

/** Wraps a bucket so that every write throws STORAGE_READ_ONLY. */
export function readOnly(bucket: BucketReader): Bucket {
  const refuse =
    (verb: string) =>
    async (key: string): Promise<never> => {
      throw new FederationError('STORAGE_READ_ONLY', {
        subject: { key },
        detail: `${bucket.label} is open for reading only and does not allow a ${verb}.`,
      });
    };
  return {
    ...readSide(bucket),
    put: refuse('put'),
    create: refuse('create'),
    copy: refuse('copy'),
    delete: refuse('delete'),
  };
}
