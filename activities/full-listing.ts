import { readDocument, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FullListing, LastFullListing } from '../federation/listing';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';

/** Reads the record of the last full listing; returns undefined if it is missing or damaged. */
export async function readFullListing(
  bucket: BucketReader,
  options: CallOptions,
): Promise<LastFullListing | undefined> {
  return readDocument(bucket, documents.fullListing.at(), options);
}

/**
 * Records a full listing. Call this only when a generation contains everything that the listing found, because later
 * runs will skip older windows.
 */
export async function writeFullListing(
  bucket: Bucket,
  listing: FullListing,
  generation: number,
  options: CallOptions,
): Promise<void> {
  const last: LastFullListing = { format: 1, generation, ...listing };
  await replaceDocument(bucket, documents.fullListing.at(), last, options);
}
