import { type FollowedGeneration, type Membership, sameMembership, sameScope } from './membership';

/**
 * Why a federator must not commit after another one:
 * - `settings`: their settings differ.
 * - `exclusions`: their exclusions differ, and come from two different rosters.
 */
export type Conflict = 'settings' | 'exclusions';

/**
 * Decides whether a federator with the membership `own` conflicts with the federator that committed the newest
 * generation. Two conflicting federators would keep undoing each other's work. Returns undefined if there is no
 * conflict.
 *
 * Different exclusions are no conflict in two cases:
 * - Both federators take their exclusions from the same roster. The roster has only changed in the meantime.
 * - The roster of `own` was started as a replacement for the other roster, because Temporal had lost that one. The
 *   replacement took its initial exclusions from the generation in `follows`. But if a later generation names the other
 *   roster, that roster still exists, and there is a conflict.
 */
export function conflictWith(
  newest: { readonly generation: number; readonly membership: Membership },
  own: Membership,
  follows: FollowedGeneration | undefined,
): Conflict | undefined {
  const theirs = newest.membership;
  if (theirs.federator === own.federator) return undefined;
  if (!sameScope(theirs.scope, own.scope)) return 'settings';
  if (sameMembership(theirs, own) || theirs.roster === own.roster) return undefined;
  const replaced = theirs.roster === follows?.roster && newest.generation <= follows.generation;
  return replaced ? undefined : 'exclusions';
}
