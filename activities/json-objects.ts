import type { z } from 'zod';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { readJson, type ReadAllOptions } from '../storage/read-all';

/** Reads a JSON object that has to be there, else throws STORAGE_NOT_FOUND. */
export async function requireJson<Schema extends z.ZodType>(
  bucket: BucketReader,
  key: string,
  schema: Schema,
  options?: ReadAllOptions,
): Promise<z.output<Schema>> {
  const value = await readJson(bucket, key, schema, options);
  if (value !== undefined) return value;
  throw new FederationError('STORAGE_NOT_FOUND', { subject: { key }, detail: 'The object is gone.' });
}

/** Writes a JSON object unless there is one; whether it did. */
export async function createJson(
  bucket: Bucket,
  key: string,
  value: unknown,
  options?: CallOptions,
): Promise<boolean> {
  try {
    await bucket.create(key, Buffer.from(`${JSON.stringify(value)}\n`), options);
    return true;
  } catch (error) {
    if (isFederationError(error, 'STORAGE_PRECONDITION_FAILED')) return false;
    throw error;
  }
}
