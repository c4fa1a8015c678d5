import type { ErrorCode } from '../errors/catalog';
import type { GenerationName, ReplacedGeneration } from './generation';
import type { GenerationIdentity } from './identity';

/** The parts of a generation that `findDiscontinuity` reads. */
export interface Ancestor extends GenerationIdentity {
  /** The generation that this one was made from. */
  readonly parent?: GenerationName;
  /** The generation that this one replaced, if it is not `parent`. */
  readonly replaces?: ReplacedGeneration;
}

/** Reads a generation by its number. Returns undefined if it does not exist, and `unreadable` if it is damaged. */
export type ReadAncestor = (generation: number) => Promise<Ancestor | 'unreadable' | undefined>;

/** Why the content of a bucket is not a continuation of a known generation. */
export interface Discontinuity {
  readonly code: Extract<ErrorCode, 'FEDERATION_MISSING' | 'FEDERATION_OTHER'>;
  /** Says, in one or two sentences, what the bucket contains instead of the known generation or a later one. */
  readonly detail: string;
}

/**
 * Checks that the newest generation in a bucket is the known generation or a later one of the same history. Returns
 * undefined if it is. Otherwise, says what the bucket contains instead: it is a different bucket, or it was emptied or
 * restored to an earlier state.
 *
 * A later generation belongs to the same history if the known generation is still in the bucket, or if the newest
 * generation or one of its ancestors names it as its predecessor. If this cannot be determined, because an ancestor is
 * damaged or the clean-up has deleted it, the newest generation is accepted.
 */
export async function findDiscontinuity(
  known: GenerationIdentity,
  newest: Ancestor | undefined,
  read: ReadAncestor,
): Promise<Discontinuity | undefined> {
  const { federation, generation, run } = known;
  if (newest === undefined) {
    const detail = `The bucket contains no generation, although generation ${generation} of federation ${federation} was committed.`;
    return { code: 'FEDERATION_MISSING', detail };
  }
  if (newest.federation !== federation) {
    return other(`The bucket contains federation ${newest.federation}, not federation ${federation}.`);
  }
  if (newest.generation < generation) {
    return other(
      `The newest generation of federation ${federation} in the bucket is ${newest.generation}, although generation ${generation} was committed. The bucket seems to have been restored to an earlier state.`,
    );
  }
  const there = await namedAs(generation, newest, read);
  if (there !== undefined && (there.run === undefined || there.run === run)) return undefined;
  const what =
    there === undefined
      ? `Generation ${newest.generation} in the bucket was made without generation ${generation} of ${run}`
      : `Generation ${generation} in the bucket was committed by ${there.run}, not by ${run}`;
  return other(`${what}. The bucket seems to have been restored to an earlier state.`);
}

/**
 * Finds generation `number` in the history of the newest generation, and returns the run that committed it. Returns
 * undefined if the history has no generation with this number. Returns an object without `run` if the history cannot be
 * followed that far, because a generation no longer exists or is damaged.
 */
async function namedAs(
  number: number,
  newest: Ancestor,
  read: ReadAncestor,
): Promise<{ readonly run?: string } | undefined> {
  if (newest.generation === number) return newest;
  const last = newest.replaces ?? newest.parent;
  if (last?.generation === number) return last;
  const there = await read(number);
  if (there === 'unreadable') return {};
  if (there !== undefined) return there;
  for (let at = newest; ;) {
    const before = at.replaces ?? at.parent;
    if (before === undefined || before.generation < number) return undefined;
    if (before.generation === number) return before;
    const next = await read(before.generation);
    if (next === undefined || next === 'unreadable') return {};
    at = next;
  }
}

function other(detail: string): Discontinuity {
  return { code: 'FEDERATION_OTHER', detail };
}
