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
 * Records a full listing, so that later runs need not list old windows again. Call this only after a generation that
 * contains everything in the listing has been committed. Otherwise, later runs would miss files.
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
