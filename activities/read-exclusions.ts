import type { Exclusion } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestGeneration } from './read-generations';

/** Who was excluded when the newest generation was committed; nobody where there is none. */
export function createReadExclusions({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (): Promise<Record<string, Exclusion>> =>
    (await readNewestGeneration(bucket, { signal: signal() }))?.membership.exclusions ?? {};
}
