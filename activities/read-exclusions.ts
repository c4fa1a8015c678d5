import type { Exclusion } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestGeneration } from './read-generations';

/** The roster's exclusions in the newest generation; none if there is no generation. */
export function createReadExclusions({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (): Promise<Record<string, Exclusion>> =>
    (await readNewestGeneration(bucket, { signal: signal() }))?.membership.exclusions ?? {};
}
