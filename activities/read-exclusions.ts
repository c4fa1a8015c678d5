import { type GenerationIdentity, identityOf } from '../federation/identity';
import type { Exclusion, FollowedGeneration } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestGeneration } from './read-generations';

/** The exclusions that the newest generation records, for a roster that starts. */
export interface StoredExclusions {
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  /** The newest generation and its roster. Undefined if there is no generation. */
  readonly follows?: FollowedGeneration;
  /** The newest generation. Undefined if there is none. */
  readonly known?: GenerationIdentity;
}

/**
 * Creates the activity that returns the clusters that people have excluded, as recorded in the newest generation, and
 * the identity of that generation.
 */
export function createReadExclusions({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (): Promise<StoredExclusions> => {
    const newest = await readNewestGeneration(bucket, { signal: signal() });
    if (newest === undefined) return { exclusions: {} };
    const { generation, membership } = newest;
    return {
      exclusions: membership.exclusions,
      follows: { generation, roster: membership.roster },
      known: identityOf(newest),
    };
  };
}
