import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import type { Generation } from '../federation/generation';
import { describeHold } from '../federation/hold';
import type { FederationRequest } from '../federation/run';
import type { Operator } from './operator';

/**
 * Refuses a request that the run could not carry out, because a rollback has put the federation on hold. If the bucket
 * cannot be read, refuses nothing: the run itself says why it fails, or ends as `on-hold`.
 *
 * @throws FEDERATION_ON_HOLD
 */
export async function refuseOnHold(
  operator: Pick<Operator, 'bucket'>,
  { resume, change }: Pick<FederationRequest, 'resume' | 'change'>,
): Promise<void> {
  if (resume === true || change?.kind === 'rollback') return;
  const newest = await operator
    .bucket()
    .then((bucket) => readNewestGeneration(bucket))
    .catch(() => undefined);
  requireNoHold(newest);
}

/** Throws FEDERATION_ON_HOLD if the newest generation has a hold. */
export function requireNoHold(newest: Pick<Generation, 'hold'> | undefined): void {
  if (newest?.hold === undefined) return;
  throw new FederationError('FEDERATION_ON_HOLD', { detail: describeHold(newest.hold) });
}
