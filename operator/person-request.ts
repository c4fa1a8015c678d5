import type { FederationRequest } from '../federation/run';

/** Returns a person's request for a federation. `by` is who asks, as `name@host`. */
export function personRequest(
  by: string,
  asked: Omit<FederationRequest, 'trigger' | 'by' | 'at'>,
  now = new Date(),
): FederationRequest {
  return { trigger: 'person', by, at: now.toISOString(), ...asked };
}
