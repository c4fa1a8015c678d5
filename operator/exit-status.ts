import type { ErrorCode } from '../errors/catalog';
import { isFederationError } from '../errors/federation-error';
import type { RunOutcome } from '../federation/run';

const statuses: Readonly<Record<RunOutcome, 0 | 1 | 3>> = {
  complete: 0,
  nothing: 0,
  partial: 3,
  'on-hold': 1,
  failed: 1,
  cancelled: 1,
};

/**
 * Returns the exit status of a verb after waiting for a run with this outcome. `before` is the status that the verb has
 * so far, for example from an earlier run. A failure (1) outranks a partial run (3), which outranks success (0).
 */
export function exitStatusAfter(outcome: RunOutcome, before: number): number {
  const own = statuses[outcome];
  return before === 0 || own === 1 ? own : before;
}

const wrongUsage: readonly ErrorCode[] = ['SETTINGS_INVALID', 'STORE_CONFIG_INVALID', 'CLUSTER_ID_INVALID'];

/** Returns the exit status of a verb that ends with an error: 2 for invalid settings or arguments, otherwise 1. */
export function exitStatusOf(error: unknown): 1 | 2 {
  return isFederationError(error) && wrongUsage.includes(error.code) ? 2 : 1;
}
