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
 * Makes a cluster that left a primary again. The next pull takes a new backup of the local ETL before overwriting it;
 * if the cluster has passed the guard before, it does not have to pass it again. With `withoutWaiting`, a cluster that
 * has not passed the guard skips it.
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
