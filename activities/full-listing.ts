import { readDocument, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { FullListing, LastFullListing } from '../federation/listing';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';

/** The last full listing; undefined if there is none, or if the note of it is damaged. */
export async function readFullListing(
  bucket: BucketReader,
  options: CallOptions,
): Promise<LastFullListing | undefined> {
  return readDocument(bucket, documents.fullListing.at(), options);
}

/** Remembers a full listing. Only for one that is in a generation: later runs skip the windows that it saw. */
export async function writeFullListing(
  bucket: Bucket,
  listing: FullListing,
  generation: number,
  options: CallOptions,
): Promise<void> {
  const last: LastFullListing = { format: 1, generation, ...listing };
  await replaceDocument(bucket, documents.fullListing.at(), last, options);
}
