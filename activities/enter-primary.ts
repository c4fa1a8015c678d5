import { primaryMemory, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';

export interface EnterPrimarySummary {
  /** Whether it had left before; otherwise nothing changed. */
  entered: boolean;
}

/**
 * Lets a cluster that left be a primary again. The next pull saves the local ETL anew before it overwrites it; the guard
 * that it passed once stays passed.
 */
export function createEnterPrimary(deps: { readonly store: LocalEtl }): () => Promise<EnterPrimarySummary> {
  return async () => {
    if ((await primaryMemory(deps.store)).leftAt === undefined) return { entered: false };
    await updatePrimary(deps.store, { leftAt: undefined, backup: undefined, lastPull: undefined });
    return { entered: true };
  };
}
