import type { Version } from '../storage/bucket';

/**
 * How a merge treats a source, which is one cluster's file for one window:
 * - `used`: the file is merged.
 * - `accepted`: the file looks bad, but is merged because a person has accepted it. If the file has vanished, the
 *   window has no data from the cluster.
 * - `refused:<code>`: no data of the cluster is merged into the window. The error code says why.
 * - `kept:<version>`: the file is replaced by the cluster's last good contribution, an object under `kept/` with this
 *   version.
 *
 * Decisions are part of fingerprints and of provenance documents.
 */
export type Decision = 'used' | 'accepted' | `refused:${string}` | `kept:${string}`;

/** Used instead of a version for a source that does not exist. */
export const absent = 'absent';

/** Version of a source in the listing of the bucket, or `absent`. */
export type Seen = Version | typeof absent;

/** Returns whether a string is a valid decision. */
export function isDecision(text: string): text is Decision {
  return text === 'used' || text === 'accepted' || text.startsWith('refused:') || text.startsWith('kept:');
}

export function refused(code: string): Decision {
  return `refused:${code}`;
}

export function kept(version: Version): Decision {
  return `kept:${version}`;
}

/** Returns the version in a `kept:<version>` decision; undefined for any other decision. */
export function keptVersion(decision: Decision): Version | undefined {
  return decision.startsWith('kept:') ? (decision.slice('kept:'.length) as Version) : undefined;
}

/**
 * Returns whether a source contributes data to the merged window. A file that does not exist contributes nothing,
 * unless the cluster's last good contribution replaces it.
 */
export function contributes({
  seen,
  decision,
}: {
  readonly seen: Seen;
  readonly decision: Decision;
}): boolean {
  return keptVersion(decision) !== undefined || (seen !== absent && !decision.startsWith('refused:'));
}
