import type { Change } from '../federation/change';
import type { FederationRequest } from '../federation/run';

/** Returns a person's request for a federation. `by` is who asks, as `name@host`. */
export function personRequest(
  by: string,
  asked: Omit<FederationRequest, 'trigger' | 'by' | 'at'>,
  now = new Date(),
): FederationRequest {
  return { trigger: 'person', by, at: now.toISOString(), ...asked };
}

/** Returns a person's request for a federation that commits a decision. */
export function decisionRequest(by: string, change: Change, reason: string | undefined): FederationRequest {
  return personRequest(by, { ...(reason !== undefined && { why: reason }), change });
}
