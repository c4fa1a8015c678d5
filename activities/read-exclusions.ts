import { describeDamaged } from '../federation/damaged-generation';
import { type GenerationIdentity, identityOf } from '../federation/identity';
import type { Exclusion, FollowedGeneration } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestReadable } from './read-generations';

/** The exclusions with which a new roster starts, as recorded in the newest generation that can be read. */
export interface StoredExclusions {
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  /** The generation that the exclusions come from, and its roster. Undefined if there is no generation. */
  readonly follows?: FollowedGeneration;
  /** The newest generation that can be read. Undefined if there is none. */
  readonly known?: GenerationIdentity;
}

/**
 * Creates the activity that reads the newest readable generation. It returns the clusters that people had excluded when
 * this generation was committed, and the identity of the generation.
 */
export function createReadExclusions({
  bucket,
  signal,
  log,
}: Pick<FederationDependencies, 'bucket' | 'signal' | 'log'>) {
  return async (): Promise<StoredExclusions> => {
    const found = await readNewestReadable(bucket, { signal: signal() });
    // A roster has to start even if the newest generation is damaged, because the run that repairs this needs a roster.
    if (found.damaged.length > 0) {
      log.error(
        { event: 'roster.generation-damaged', keys: found.damaged.map(({ key }) => key) },
        `Federator: the roster starts from an earlier generation, so exclusions that were decided since then are unknown: ${describeDamaged(found).join(' ')}`,
      );
    }
    const newest = found.generation;
    if (newest === undefined) return { exclusions: {} };
    const { generation, membership } = newest;
    return {
      exclusions: membership.exclusions,
      follows: { generation, roster: membership.roster },
      known: identityOf(newest),
    };
  };
}
