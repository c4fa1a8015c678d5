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
 * If both take their exclusions from the same roster, a difference only means that the roster has changed in the
 * meantime. This is no conflict. Nor is it a conflict if Temporal has lost the other roster, and the roster of `own`
 * replaces it: it was then started with the exclusions of the newest generation (see `follows`). But if the other
 * roster is named by a generation that was committed after this start, it still exists, so there is a conflict.
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
