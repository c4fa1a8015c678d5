import { primaryState, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';

export interface EnterPrimaryInput {
  /** If true, the cluster does not wait until the combined set contains its own windows. */
  readonly withoutWaiting?: boolean;
}

export interface EnterPrimarySummary {
  /** True if the cluster had left, or if it was waiting and no longer is; false if nothing changed. */
  entered: boolean;
}

/**
 * Makes the cluster a primary again after it has stopped being one. The next pull makes a new backup of the local ETL
 * before it overwrites files. The guard makes a cluster wait until its own windows are combined: a cluster that has
 * passed it once does not have to pass it again, and `withoutWaiting` skips it.
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
