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
 * If both federators take their exclusions from the same roster, a difference only means that the roster has changed in
 * the meantime. This is no conflict.
 *
 * If the rosters differ, the roster of `own` may be a replacement for the other roster, because Temporal has lost that
 * one. The replacement was started with the exclusions of the newest generation at that time (see `follows`). This is
 * no conflict either. But if the other roster is named by a generation that was committed after the replacement was
 * started, the other roster still exists. Then there is a conflict.
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
