import { isFederationError } from '../errors/federation-error';
import { type FullListing, type LastFullListing, lastFullListingSchema } from '../federation/listing';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { fullListingKey } from '../federation/layout';
import { readJson, writeJson } from '../storage/read-all';

/** What is remembered of the last full listing: a damaged note is as good as none, as the next full listing makes another. */
export async function readFullListing(
  bucket: BucketReader,
  options: CallOptions,
): Promise<LastFullListing | undefined> {
  try {
    return await readJson(bucket, fullListingKey, lastFullListingSchema, options);
  } catch (error) {
    if (isFederationError(error, 'STORAGE_CORRUPT')) return undefined;
    throw error;
  }
}

/** Remembers a full listing. Only for one that a generation holds: what it found would be passed over otherwise. */
export async function writeFullListing(
  bucket: Bucket,
  listing: FullListing,
  generation: number,
  options: CallOptions,
): Promise<void> {
  const last: LastFullListing = { format: 1, generation, ...listing };
  await writeJson(bucket, fullListingKey, last, options);
}
