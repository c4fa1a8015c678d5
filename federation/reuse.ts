import type { Contribution } from '../etl/contribution';
import type { WindowRef } from '../etl/window';
import { keptVersion } from './decision';
import { fingerprint } from './fingerprint';
import type { Provenance, ProvenanceSource } from './provenance';

/** The parts of a window's previous merged object that a merge can read instead of the clusters' files. */
export interface Reuse {
  readonly previous: Provenance;
  /** Position of each reusable contribution in the previous object, keyed by cluster id. */
  readonly contributions: ReadonlyMap<string, Contribution>;
}

/**
 * Minimum number of contributions to reuse. Each reused contribution saves one request, but reading the previous object
 * costs one.
 */
const fewest = 2;

/**
 * Finds the contributions that can be read from the previous merged object. A cluster's contribution can be read from
 * there if its source is unchanged and the previous merge did not alter the cluster's records.
 *
 * @returns undefined if there is no previous object, if another revision of the merge code made it, or if reading it
 *   would cost more than reading the clusters' files
 */
export function findReuse(
  previous: Provenance | undefined,
  ref: WindowRef,
  sources: readonly Pick<ProvenanceSource, 'cluster' | 'seen' | 'decision'>[],
): Reuse | undefined {
  if (previous === undefined || fingerprint(ref, previous.sources) !== previous.fingerprint) return undefined;
  const before = new Map(previous.sources.map((source) => [source.cluster, source]));
  const contributions = new Map<string, Contribution>();
  let end = 0;
  let bytes = 0;
  for (const { cluster, seen, decision } of sources) {
    // A source with the decision `kept` is always read from `kept/`, so that a missing object there is noticed.
    if (keptVersion(decision) !== undefined) continue;
    const was = before.get(cluster);
    if (was?.contribution === undefined || was.seen !== seen || was.decision !== decision) continue;
    const { contribution } = was;
    if (contribution.altered.length + contribution.changed.length > 0) continue;
    // The object is read only once, front to back. So reuse nothing if the contributions are needed in a different
    // order.
    if (contribution.offset < end) return undefined;
    end = contribution.offset + contribution.length;
    bytes += contribution.length;
    contributions.set(cluster, contribution);
  }
  const all = previous.sources.reduce((sum, { contribution }) => sum + (contribution?.length ?? 0), 0);
  return contributions.size < fewest || 2 * bytes < all ? undefined : { previous, contributions };
}
