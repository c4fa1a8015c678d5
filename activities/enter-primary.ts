import { primaryState, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';

export interface EnterPrimaryInput {
  /** Do not wait until the combined set holds this cluster's own windows. */
  readonly withoutWaiting?: boolean;
}

export interface EnterPrimarySummary {
  /** True if the cluster had left, or was waiting and no longer is; false if nothing changed. */
  entered: boolean;
}

/**
 * Makes a cluster that left a primary again: the next pull takes a new backup of the local ETL before overwriting it, and
 * a guard once passed stays passed. With `withoutWaiting`, also lets a waiting cluster skip the guard.
 */
export function createEnterPrimary({ store, now }: { readonly store: LocalEtl; readonly now: () => Date }) {
  return async ({ withoutWaiting = false }: EnterPrimaryInput = {}): Promise<EnterPrimarySummary> => {
    const { leftAt, guardPassedAt } = await primaryState(store);
    const left = leftAt !== undefined;
    const waits = withoutWaiting && guardPassedAt === undefined;
    if (left) await updatePrimary(store, { leftAt: undefined, backup: undefined, lastPull: undefined });
    if (waits) await updatePrimary(store, { guardPassedAt: now().toISOString(), waitingFor: undefined });
    return { entered: left || waits };
  };
}
