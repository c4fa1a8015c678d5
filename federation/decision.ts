/**
 * What a source became, as it stands in fingerprints and provenance: `used` as it is, `accepted` by a person although
 * it looks bad, `refused:<code>` with nothing in its place, or `kept:<version>`: its last good contribution stands in.
 */
export type Decision = 'used' | 'accepted' | `refused:${string}` | `kept:${string}`;

/** What is seen of a source that is not there. */
export const absent = 'absent';

export function refused(code: string): Decision {
  return `refused:${code}`;
}

export function kept(version: string): Decision {
  return `kept:${version}`;
}

/** The version of the kept contribution that stands in; undefined for any other decision. */
export function keptVersion(decision: string): string | undefined {
  return decision.startsWith('kept:') ? decision.slice('kept:'.length) : undefined;
}

/** Whether the cluster's records are in the merged window. */
export function contributes(decision: string): boolean {
  return !decision.startsWith('refused:');
}
