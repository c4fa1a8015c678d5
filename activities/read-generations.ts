import { readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import { generationsPrefix, parseGenerationKey } from '../federation/layout';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** What a listing of the bucket shows of a generation. */
export interface ListedGeneration {
  readonly generation: number;
  /** Time of the commit, by the store's clock. */
  readonly modified: Date;
  readonly size: number;
}

/** Lists the existing generations, oldest first. */
export async function listGenerations(
  bucket: BucketReader,
  options?: CallOptions,
): Promise<ListedGeneration[]> {
  const found: ListedGeneration[] = [];
  for await (const entry of bucket.list(generationsPrefix, options)) {
    const generation = entry.kind === 'object' ? parseGenerationKey(entry.key) : undefined;
    if (entry.kind !== 'object' || generation === undefined) continue;
    found.push({ generation, modified: entry.modified, size: entry.size });
  }
  return found;
}

/** Returns the number of the newest generation; 0 if nothing was ever committed. */
export async function newestGenerationNumber(bucket: BucketReader, options?: CallOptions): Promise<number> {
  return (await listGenerations(bucket, options)).at(-1)?.generation ?? 0;
}

/** Reads one generation; returns undefined if it does not exist. Throws GENERATION_UNREADABLE if it is damaged. */
export async function readGeneration(
  bucket: BucketReader,
  generation: number,
  options?: CallOptions,
): Promise<Generation | undefined> {
  return readDocument(bucket, documents.generation.at(generation), options);
}

/** Reads the newest generation, which is the combined set; returns undefined if nothing was ever committed. */
export async function readNewestGeneration(
  bucket: BucketReader,
  options?: CallOptions,
): Promise<Generation | undefined> {
  for (;;) {
    const newest = await newestGenerationNumber(bucket, options);
    if (newest === 0) return undefined;
    const generation = await readGeneration(bucket, newest, options);
    // If the generation was deleted between listing and reading, there is a newer one: the newest is never cleaned up.
    if (generation !== undefined) return generation;
  }
}
