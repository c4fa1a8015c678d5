import type { Exclusion, FollowedGeneration } from './membership';

/** What a roster knew when it ended. Temporal can still say so for as long as it keeps ended workflows. */
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
 * Decides which exclusions a new roster starts with. Those of the roster that ended before it are newer than those of
 * the newest generation, which has only what was committed. But they are ignored if another roster has taken its place
 * since, in this bucket or in another.
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

/** Returns whether the earlier roster was the last one that decided about the newest generation. */
function isNewest(bucket: string, { follows }: Stored, earlier: EarlierRoster): boolean {
  if (follows === undefined) return earlier.bucket === bucket;
  if (follows.roster === earlier.id) return true;
  // It ended before any run committed what it said.
  return follows.roster === earlier.follows?.roster && follows.generation === earlier.follows.generation;
}
