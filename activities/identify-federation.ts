import { randomUUID } from 'node:crypto';
import { FederationError, isFederationError } from '../errors/federation-error';
import {
  type Ancestor,
  type Discontinuity,
  findDiscontinuity,
  type ReadAncestor,
} from '../federation/continuity';
import { createDocument, readDocument, readIntact, replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation } from '../federation/generation';
import type { FederationDocument, GenerationIdentity } from '../federation/identity';
import type { RosterRules } from '../federation/membership';
import type { PlanHead } from '../federation/plan-document';
import type { FederationRequest } from '../federation/run';
import type { Bucket, BucketReader, CallOptions } from '../storage/bucket';
import { readGeneration, readNewestGeneration } from './read-generations';

export interface IdentifyInput {
  /** The newest generation that can be read; undefined if there is none. */
  readonly base: Generation | undefined;
  /** Number of the newest generation; 0 if there is none. */
  readonly newest: number;
  /** The newest generation that the roster knows. */
  readonly known?: GenerationIdentity;
  readonly request: Pick<FederationRequest, 'newFederation'>;
}

/** The federation to which the next generation belongs, and the number of that generation. */
export type Identified = Pick<PlanHead, 'federation' | 'recordFederation' | 'number'>;

/**
 * Finds out which federation the bucket contains, and checks that this is the federation that the roster knows. If the
 * check fails or the roster knows no federation, the request can ask for a new federation that continues what the
 * bucket contains. This function then returns a new id. Writes nothing.
 *
 * @throws FEDERATION_MISSING or FEDERATION_OTHER if the bucket does not contain what the roster knows, and the request
 *   does not ask for a new federation
 */
export async function identifyFederation(
  bucket: BucketReader,
  { base, newest, known, request }: IdentifyInput,
  options?: CallOptions,
): Promise<Identified> {
  const recorded = (await readDocument(bucket, documents.federation.at(), options))?.federation;
  // A damaged generation cannot be compared. Assume that it was made from the newest generation that can be read.
  const isDamaged = base !== undefined && known !== undefined && newest > base.generation;
  const top: Ancestor | undefined = isDamaged
    ? { ...known, federation: base.federation, generation: newest, parent: base }
    : base;
  const wrong = known && (await compareWithKnown(bucket, known, { base: top, recorded }, options));
  const number = Math.max(newest, known?.generation ?? 0) + 1;
  if (request.newFederation === true && (wrong !== undefined || known === undefined)) {
    const published = await readIntact(bucket, documents.published.at(), options);
    return {
      federation: randomUUID(),
      recordFederation: 'replace',
      number: Math.max(number, (published?.generation ?? 0) + 1),
    };
  }
  if (wrong !== undefined) throw new FederationError(wrong.code, { detail: wrong.detail });
  const federation = base?.federation ?? recorded ?? randomUUID();
  if (recorded === federation) return { federation, number };
  return { federation, recordFederation: base === undefined ? 'create' : 'replace', number };
}

/**
 * Checks, with few requests, that the bucket contains the federation that the roster knows. Each run makes this check
 * before it writes anything. A bucket that was restored to an earlier state passes the check.
 *
 * @throws FEDERATION_MISSING or FEDERATION_OTHER
 */
export async function requireKnownFederation(
  bucket: BucketReader,
  roster: () => Promise<RosterRules>,
  options?: CallOptions,
): Promise<void> {
  // Read the bucket before asking the roster, so that an unavailable bucket is reported as such. A roster that has just
  // been started reads the bucket too, and its error would hide the cause.
  const recorded = (await readDocument(bucket, documents.federation.at(), options))?.federation;
  const { known } = await roster();
  if (known === undefined || recorded === known.federation) return;
  const base = await readNewestGeneration(bucket, options);
  if (base?.federation === known.federation) return;
  const wrong = await compareWithKnown(bucket, known, { base, recorded }, options);
  if (wrong !== undefined) throw new FederationError(wrong.code, { detail: wrong.detail });
}

/**
 * Makes `federation.json` name the federation of a plan, unless it already does.
 *
 * @returns false if another federator has begun another federation in the meantime, in which case nothing is written
 */
export async function recordFederation(
  bucket: Bucket,
  { federation, recordFederation: how }: Pick<PlanHead, 'federation' | 'recordFederation'>,
  by: Pick<FederationDocument, 'createdAt' | 'federator'>,
  options?: CallOptions,
): Promise<boolean> {
  if (how === undefined) return true;
  const document = documents.federation.at();
  const value: FederationDocument = { format: 1, federation, ...by };
  if (how === 'create') {
    if (await createDocument(bucket, document, value, options)) return true;
    const existing = await readDocument(bucket, document, options);
    if (existing !== undefined) return existing.federation === federation;
  }
  await replaceDocument(bucket, document, value, options);
  return true;
}

/** Returns a function that reads generations from a bucket, to find out which ones a generation was made from. */
export function ancestorsIn(bucket: BucketReader, options?: CallOptions): ReadAncestor {
  return (generation) =>
    readGeneration(bucket, generation, options).catch((error: unknown) => {
      if (isFederationError(error, 'GENERATION_UNREADABLE')) return 'unreadable';
      throw error;
    });
}

/**
 * Checks whether a bucket continues the newest known generation. Returns undefined if it does, otherwise why it does
 * not. `base` is the newest generation in the bucket. `recorded` is the federation that `federation.json` names.
 */
export async function compareWithKnown(
  bucket: BucketReader,
  known: GenerationIdentity,
  { base, recorded }: { readonly base: Ancestor | undefined; readonly recorded: string | undefined },
  options?: CallOptions,
): Promise<Discontinuity | undefined> {
  if (base === undefined && recorded !== undefined && recorded !== known.federation) {
    const detail = `The bucket contains federation ${recorded}, not federation ${known.federation}.`;
    return { code: 'FEDERATION_OTHER', detail };
  }
  return findDiscontinuity(known, base, ancestorsIn(bucket, options));
}
