import { primaryState, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';

export interface EnterPrimaryInput {
  /** Pull without waiting until the combined set holds this cluster's own windows. */
  readonly withoutWaiting?: boolean;
}

export interface EnterPrimarySummary {
  /** Whether it had left before, or was waiting and waits no more; otherwise nothing changed. */
  entered: boolean;
}

/**
 * Lets a cluster that left be a primary again: the next pull saves the local ETL anew before it overwrites it, and a
 * guard that was passed once stays passed. Or lets one that waits go on without.
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
