import { readNewestReadable } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import { requireNewest } from '../federation/damaged-generation';
import type { Generation } from '../federation/generation';
import { describeHold } from '../federation/hold';
import type { FederationRequest } from '../federation/run';
import type { Operator } from './operator';

/**
 * Throws an error if a run of this request could not commit a generation, because a rollback has put the federation on
 * hold or the newest generation is damaged. Does not throw if the request is a rollback, or if the bucket cannot be
 * read: then the run itself reports why it fails.
 *
 * @throws FEDERATION_ON_HOLD if the federation is on hold, unless the request sets `resume`
 * @throws GENERATION_UNREADABLE if the newest generation is damaged, unless the request sets `from`
 */
export async function requireCommittable(
  operator: Pick<Operator, 'bucket'>,
  { resume, change, from }: Pick<FederationRequest, 'resume' | 'change' | 'from'>,
): Promise<void> {
  if (change?.kind === 'rollback') return;
  const found = await operator
    .bucket()
    .then((bucket) => readNewestReadable(bucket))
    .catch(() => undefined);
  if (found === undefined) return;
  if (from === undefined) requireNewest(found);
  if (resume !== true) requireNoHold(found.generation);
}

/** Throws FEDERATION_ON_HOLD if the newest generation has a hold. */
export function requireNoHold(newest: Pick<Generation, 'hold'> | undefined): void {
  if (newest?.hold === undefined) return;
  throw new FederationError('FEDERATION_ON_HOLD', { detail: describeHold(newest.hold) });
}
