import type { Exclusion, FollowedGeneration } from './membership';

/** What a roster knew when it ended. It can be read as long as Temporal keeps the ended workflow. */
export interface EarlierRoster {
  readonly id: string;
  readonly bucket: string;
  readonly follows?: FollowedGeneration;
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly primaries: readonly string[];
  /** False if it ended before it had loaded the exclusions of the newest generation. */
  readonly loaded: boolean;
}

/** The newest generation's exclusions, and the roster that it names. */
interface Stored {
  readonly exclusions: Readonly<Record<string, Exclusion>>;
  readonly follows?: FollowedGeneration;
}

/**
 * Decides which exclusions a new roster starts with. The earlier roster (the one that ended) has newer exclusions than
 * the newest generation, because a generation contains only what was committed. But the exclusions of the newest
 * generation are used if a different roster has replaced the earlier roster in the meantime, or if the earlier roster
 * belongs to another bucket.
 *
 * @param bucket the bucket of the new roster
 */
export function startingExclusions(
  bucket: string,
  stored: Stored,
  earlier: EarlierRoster,
): Readonly<Record<string, Exclusion>> {
  if (!isNewest(bucket, stored, earlier)) return stored.exclusions;
  return earlier.loaded ? earlier.exclusions : { ...stored.exclusions, ...earlier.exclusions };
}

/**
 * Returns whether the earlier roster is still the latest one, judging by the newest generation: false if another roster
 * has replaced it.
 */
function isNewest(bucket: string, { follows }: Stored, earlier: EarlierRoster): boolean {
  if (follows === undefined) return earlier.bucket === bucket;
  if (follows.roster === earlier.id) return true;
  // The newest generation is still the one with which the earlier roster started: no run has committed the exclusions
  // of the earlier roster.
  return follows.roster === earlier.follows?.roster && follows.generation === earlier.follows.generation;
}
