import { type FollowedGeneration, type Membership, sameMembership, sameScope } from './membership';

/**
 * Why a federator must not commit after another one:
 * - `settings`: their settings differ.
 * - `exclusions`: their exclusions differ, and each has them from a roster of its own.
 */
export type Conflict = 'settings' | 'exclusions';

/**
 * Decides whether a federator with this membership conflicts with the federator that committed the newest generation.
 * Two conflicting federators would keep undoing each other's work. Returns undefined if there is no conflict.
 *
 * If both have the exclusions from one roster, a difference only means that the roster has changed since. The same is
 * true if the own roster was started from the newest generation, to replace a roster that Temporal has lost. But if
 * there has been a generation of the other roster since then, that roster still exists.
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
