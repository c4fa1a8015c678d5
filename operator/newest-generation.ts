import { readNewestReadable } from '../activities/read-generations';
import { adviseOnDamaged, newestNumber, type NewestReadable } from '../federation/damaged-generation';
import { examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** The newest generation that can be read. */
export interface Newest extends NewestReadable {
  /** Number of a newer generation that has been published, but does not exist. */
  readonly missing?: number;
  /** Sentences that say which newer generations are damaged or missing, and what to do about it. Usually none. */
  readonly damage: readonly string[];
}

/**
 * Reads the newest generation that can be read. If `published.json` names a newer generation than the bucket has, that
 * generation has been deleted, because a generation is published only after its commit.
 */
export async function findNewest(bucket: BucketReader, options?: CallOptions): Promise<Newest> {
  // Read `published.json` before the generations. Otherwise, it could name a generation that was committed between the
  // two reads, and this generation would seem to be missing.
  const { value: published } = await examineDocument(bucket, documents.published.at(), options);
  const found = await readNewestReadable(bucket, options);
  const damage = adviseOnDamaged(found);
  if (published === undefined || published.generation <= newestNumber(found)) return { ...found, damage };
  const missing = published.generation;
  return { ...found, missing, damage: [...damage, `${describeMissing(missing)} ${putBack}`] };
}

/** Describes a generation that has been published, but does not exist. */
export function describeMissing(generation: number): string {
  const { key } = documents.generation.at(generation);
  return `Generation ${generation} has been published, but is missing (${key}): it was deleted, or the bucket is in an earlier state.`;
}

export const putBack = 'Put it back from the store’s older versions if you can.';
