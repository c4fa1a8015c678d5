import { FederationError } from '../errors/federation-error';
import {
  type DamagedGeneration,
  describeDamagedGeneration,
  type NewestReadable,
  requireNewest,
} from '../federation/damaged-generation';
import { examineDocument, readDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import { generationsPrefix, parseGenerationKey } from '../federation/layout';
import type { BucketReader, CallOptions } from '../storage/bucket';

/** A generation as it appears in a listing of the bucket. */
export interface ListedGeneration {
  readonly generation: number;
  /** Time of the commit, according to the store's clock. */
  readonly modified: Date;
  readonly size: number;
}

/** Lists all existing generations, from oldest to newest. */
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

/** Returns the number of the newest generation; 0 if nothing has been committed yet. */
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

/**
 * Reads the newest generation or, if it is damaged, the newest one that can be read. Use this function only if the
 * caller shows which newer generations are damaged, or if a person has asked for a plan that starts from an earlier
 * generation. All other code that commits or serves data uses `readNewestGeneration`.
 */
export async function readNewestReadable(
  bucket: BucketReader,
  options?: CallOptions,
): Promise<NewestReadable> {
  const damaged: DamagedGeneration[] = [];
  let listed = (await listGenerations(bucket, options)).reverse();
  for (let at = 0; at < listed.length; at++) {
    const number = listed[at]?.generation ?? 0;
    const { value, damage } = await examineDocument(bucket, documents.generation.at(number), options);
    if (value !== undefined) return { generation: value, damaged };
    if (damage !== undefined) damaged.push({ generation: number, ...damage });
    else if (damaged.length === 0) {
      // The newest generation was deleted after it was listed. List again: there must be a newer one.
      listed = (await listGenerations(bucket, options)).reverse();
      at = -1;
    }
  }
  return { damaged };
}

/**
 * Reads the newest generation; returns undefined if nothing has been committed yet.
 *
 * @throws GENERATION_UNREADABLE if the newest generation is damaged; the error says which earlier generation can be
 *   read
 */
export async function readNewestGeneration(
  bucket: BucketReader,
  options?: CallOptions,
): Promise<Generation | undefined> {
  return requireNewest(await readNewestReadable(bucket, options));
}

/** Reads one generation. Throws GENERATION_UNREADABLE if it is damaged or does not exist. */
export async function requireGeneration(
  bucket: BucketReader,
  generation: number,
  options?: CallOptions,
): Promise<Generation> {
  const { value, damage } = await examineDocument(bucket, documents.generation.at(generation), options);
  if (value !== undefined) return value;
  throw new FederationError('GENERATION_UNREADABLE', {
    subject: { key: damage?.key },
    detail:
      damage === undefined
        ? `There is no generation ${generation}, or it was cleaned up.`
        : describeDamagedGeneration({ generation, ...damage }),
    hint: `\`federated-etl generations\` lists those that can be read${damage ? '; `federated-etl verify` says what repairs this one' : ''}.`,
    retryable: false,
  });
}
