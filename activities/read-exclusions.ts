import type { Exclusion } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestGeneration } from './read-generations';

/**
 * Creates the activity that returns the clusters that people have excluded, as recorded in the newest generation. If
 * there is no generation, the activity returns no clusters.
 */
export function createReadExclusions({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (): Promise<Record<string, Exclusion>> =>
    (await readNewestGeneration(bucket, { signal: signal() }))?.membership.exclusions ?? {};
}
