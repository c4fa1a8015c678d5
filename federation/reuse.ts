import type { Contribution } from '../etl/contribution';
import type { WindowRef } from '../etl/window';
import { keptVersion } from './decision';
import { fingerprint, type FingerprintSource } from './fingerprint';
import type { Provenance } from './provenance';

/** What a merge can take from the window's previous object instead of reading the clusters' own files. */
export interface Reuse {
  readonly previous: Provenance;
  /** By cluster: its part of that object. */
  readonly contributions: ReadonlyMap<string, Contribution>;
}

/** One request saved pays for the one that the object takes. */
const fewest = 2;

/**
 * Finds the clusters whose source is the same as in the previous object, and whose records all stand there as they came.
 *
 * @returns undefined where it is not worth it: reading the object is to cost less than reading their files. So is it when
 *   another merge revision made the object.
 */
export function findReuse(
  previous: Provenance | undefined,
  ref: WindowRef,
  sources: readonly FingerprintSource[],
): Reuse | undefined {
  if (previous === undefined || fingerprint(ref, previous.sources) !== previous.fingerprint) return undefined;
  const before = new Map(previous.sources.map((source) => [source.cluster, source]));
  const contributions = new Map<string, Contribution>();
  let end = 0;
  let bytes = 0;
  for (const { cluster, seen, decision } of sources) {
    // What is kept is read where it is kept: so it is noticed when it is gone.
    if (keptVersion(decision) !== undefined) continue;
    const was = before.get(cluster);
    if (was?.contribution === undefined || was.seen !== seen || was.decision !== decision) continue;
    const { contribution } = was;
    if (contribution.altered.length + contribution.changed.length > 0) continue;
    // They are read in one go, so they have to follow one another.
    if (contribution.offset < end) return undefined;
    end = contribution.offset + contribution.length;
    bytes += contribution.length;
    contributions.set(cluster, contribution);
  }
  const all = previous.sources.reduce((sum, { contribution }) => sum + (contribution?.length ?? 0), 0);
  return contributions.size < fewest || 2 * bytes < all ? undefined : { previous, contributions };
}
