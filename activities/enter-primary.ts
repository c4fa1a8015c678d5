import { FederationError } from '../errors/federation-error';
import { restoreLock, withFreeLock } from '../local-etl/lock';
import { passGuard, primaryState, updatePrimary } from '../local-etl/primary';
import type { LocalEtl } from '../local-etl/store';

export interface EnterPrimaryInput {
  /** If true, the cluster pulls even if its own windows have not been combined yet. */
  readonly withoutWaiting?: boolean;
  /**
   * Id of a federation. The next pull takes the newest generation of this federation, even if that generation does not
   * continue what was pulled before. This is needed if the bucket was replaced, or restored to an earlier state.
   */
  readonly acceptFederation?: string;
}

export interface EnterPrimarySummary {
  /**
   * True if this call made the cluster a primary again, or let a waiting cluster pull. False if the call changed
   * nothing, or only recorded `acceptFederation`.
   */
  entered: boolean;
}

/**
 * Creates the activity that makes the cluster a primary again after it has stopped being one. The next pull makes a new
 * backup of the local ETL before it overwrites files. Normally, the first pull waits until the cluster's own windows
 * are combined. If `withoutWaiting` is set, the first pull does not wait. If `acceptFederation` is set, the activity
 * records the accepted federation and changes nothing else.
 *
 * @throws RESTORE_RUNNING if a backup is being restored, because a pull would overwrite the restored files
 */
export function createEnterPrimary({ store, now }: { readonly store: LocalEtl; readonly now: () => Date }) {
  return async ({
    withoutWaiting = false,
    acceptFederation,
  }: EnterPrimaryInput = {}): Promise<EnterPrimarySummary> => {
    if (acceptFederation !== undefined) {
      await updatePrimary(store, { accepts: acceptFederation });
      return { entered: false };
    }
    const { leftAt, guardPassedAt } = await primaryState(store);
    const left = leftAt !== undefined;
    const waits = withoutWaiting && guardPassedAt === undefined;
    if (left) await pullAgain(store);
    if (waits) await updatePrimary(store, passGuard(now()));
    return { entered: left || waits };
  };
}

async function pullAgain(store: LocalEtl): Promise<void> {
  const pulls = { leftAt: undefined, backup: undefined, lastPull: undefined };
  if ((await withFreeLock(store, restoreLock, () => updatePrimary(store, pulls))) !== undefined) return;
  throw new FederationError('RESTORE_RUNNING', {
    subject: { key: store.root },
    detail: 'A restore holds the lock of this local ETL.',
  });
}
