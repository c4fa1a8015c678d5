import type { Exclusion } from '../federation/membership';
import type { FederationDependencies } from './federation-dependencies';
import { readNewestGeneration } from './read-generations';

/** Reads the roster's exclusions from the newest generation. Without a generation, there are none. */
export function createReadExclusions({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (): Promise<Record<string, Exclusion>> =>
    (await readNewestGeneration(bucket, { signal: signal() }))?.membership.exclusions ?? {};
}
