import { newestNumber } from '../federation/damaged-generation';
import { readIntact } from '../federation/document';
import { documents } from '../federation/documents';
import type { Generation, Hold, ReplacedGeneration } from '../federation/generation';
import type { FederationRequest } from '../federation/run';
import type { BucketReader, CallOptions } from '../storage/bucket';
import { readNewestGeneration, readNewestReadable, requireGeneration } from './read-generations';

/** The generation that a plan starts from, and the newest generation. Usually they are the same. */
export interface PlanBase {
  /** The generation that the plan starts from; undefined if there is none. */
  readonly base?: Generation;
  /**
   * The newest generation that can be read; undefined if there is none. The current membership is based on this
   * generation.
   */
  readonly current?: Generation;
  /** Number of the newest generation, even if it is damaged; 0 if there is none. */
  readonly newest: number;
  /** The newest generation, if it is not the base. */
  readonly replaces?: ReplacedGeneration;
  /** The hold that keeps this request from being carried out. */
  readonly heldBy?: Hold;
}

/**
 * Finds the generation that a plan starts from: the target of a rollback, the one that the request names, or the
 * newest.
 *
 * @throws GENERATION_UNREADABLE if that generation is damaged or does not exist
 */
export async function findPlanBase(
  bucket: BucketReader,
  request: Pick<FederationRequest, 'from' | 'change' | 'resume'>,
  options: CallOptions,
): Promise<PlanBase> {
  const target = request.change?.kind === 'rollback' ? request.change.to : undefined;
  const from = target ?? request.from;
  if (from === undefined) {
    const base = await readNewestGeneration(bucket, options);
    const heldBy = request.resume === true ? undefined : base?.hold;
    return { base, current: base, newest: base?.generation ?? 0, ...(heldBy && { heldBy }) };
  }
  const base = await requireGeneration(bucket, from, options);
  const found = await readNewestReadable(bucket, options);
  const { generation: current = base } = found;
  const newest = newestNumber(found);
  const heldBy = target === undefined && request.resume !== true ? current.hold : undefined;
  return {
    base,
    current,
    newest,
    ...(newest !== base.generation && {
      replaces: { generation: newest, ...(current.generation === newest && { run: current.run }) },
    }),
    ...(heldBy && { heldBy }),
  };
}

/**
 * Returns the generations that are not current because of a hold, newest first. The first one is the generation that
 * the rollback replaced. If that generation was itself a rollback with a hold, the next one is the generation that it
 * had replaced, and so on. Stops at a generation that is damaged or missing.
 */
export async function readHeldBack(
  bucket: BucketReader,
  holding: Generation,
  options: CallOptions,
): Promise<Generation[]> {
  const found: Generation[] = [];
  for (let at = holding; at.hold !== undefined && at.replaces?.run !== undefined;) {
    const document = documents.generation.at(at.replaces.generation);
    const replaced = await readIntact(bucket, document, options);
    if (replaced?.run !== at.replaces.run) break;
    found.push(replaced);
    at = replaced;
  }
  return found;
}
