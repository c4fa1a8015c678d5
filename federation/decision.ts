import type { Version } from '../storage/bucket';

/**
 * How a source is merged, as written in fingerprints and provenance: `used` as it is; `accepted`, as it is by a person's
 * word although it looks bad; `refused:<code>`, not at all; `kept:<version>`, by its last good contribution.
 */
export type Decision = 'used' | 'accepted' | `refused:${string}` | `kept:${string}`;

/** The version of a source that does not exist. */
export const absent = 'absent';

/** A source's version as listed, or `absent`. */
export type Seen = Version | typeof absent;

/** Whether the text is a decision. */
export function isDecision(text: string): text is Decision {
  return text === 'used' || text === 'accepted' || text.startsWith('refused:') || text.startsWith('kept:');
}

export function refused(code: string): Decision {
  return `refused:${code}`;
}

export function kept(version: Version): Decision {
  return `kept:${version}`;
}

/** The version of the kept contribution; undefined for any other decision. */
export function keptVersion(decision: Decision): Version | undefined {
  return decision.startsWith('kept:') ? (decision.slice('kept:'.length) as Version) : undefined;
}

/** Whether the cluster's records are in the merged window. */
export function contributes(decision: Decision): boolean {
  return !decision.startsWith('refused:');
}
