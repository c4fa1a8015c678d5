import type { Version } from '../storage/bucket';

/**
 * How a source is merged, as written in fingerprints and provenance:
 * - `used`: as it is.
 * - `accepted`: as it is, although it looks bad, because a person has accepted it.
 * - `refused:<code>`: not at all.
 * - `kept:<version>`: the cluster's last good contribution is merged instead; its object under `kept/` has this
 *   version.
 */
export type Decision = 'used' | 'accepted' | `refused:${string}` | `kept:${string}`;

/** Stands for the version of a source that does not exist. */
export const absent = 'absent';

/** A source's version as listed, or `absent`. */
export type Seen = Version | typeof absent;

/** Whether a text is a valid decision. */
export function isDecision(text: string): text is Decision {
  return text === 'used' || text === 'accepted' || text.startsWith('refused:') || text.startsWith('kept:');
}

export function refused(code: string): Decision {
  return `refused:${code}`;
}

export function kept(version: Version): Decision {
  return `kept:${version}`;
}

/** Returns the version of the kept contribution; undefined for any other decision. */
export function keptVersion(decision: Decision): Version | undefined {
  return decision.startsWith('kept:') ? (decision.slice('kept:'.length) as Version) : undefined;
}

/** Whether the merged window has data of a source with this decision. */
export function contributes(decision: Decision): boolean {
  return !decision.startsWith('refused:');
}
