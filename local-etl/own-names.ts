import { z } from 'zod';
import { isFederationError } from '../errors/federation-error';
import { pushCache } from './file-cache';
import { withLock } from './lock';
import { primaryState } from './primary';
import { Pulled } from './pulled';
import { readStateCached, removeState, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'own-names.json';
const ownNamesSchema = z.object({ format: z.literal(1), names: z.array(z.string()) });

/**
 * Returns the cluster names that may appear in this cluster's own records: its id, the names found in files that it
 * pushed before its first pull, and names that an operator has added.
 */
export async function ownNames(store: LocalEtl, cluster: string): Promise<Set<string>> {
  const known = await readStateCached(store, fileName, ownNamesSchema);
  return new Set([cluster, ...(known?.names ?? [])]);
}

/**
 * Permanently adds names to the cluster's own names. Wait for this to finish before pushing files whose records contain
 * these names.
 */
export async function addOwnNames(store: LocalEtl, names: Iterable<string>): Promise<void> {
  const added = [...names].filter((name) => name !== '');
  const known = await readStateCached(store, fileName, ownNamesSchema);
  if (added.every((name) => known?.names.includes(name))) return;
  await withLock(store, 'own-names', async () => {
    const latest = await readStateCached(store, fileName, ownNamesSchema);
    await writeState(store, fileName, {
      format: 1,
      names: [...new Set([...(latest?.names ?? []), ...added])].sort(),
    });
  });
}

/**
 * If the names and their copy are damaged on a volume to which nothing was ever pulled, removes them, so that pushes
 * find them again: each file there is the cluster's own. Also removes the push cache, so that the next push reads all
 * files. Returns whether it removed the names. On any other volume, only a person can say which names are the cluster's
 * own, so throws LOCAL_STATE_UNREADABLE.
 */
export async function removeDamagedNames(store: LocalEtl): Promise<boolean> {
  try {
    await readStateCached(store, fileName, ownNamesSchema);
    return false;
  } catch (error) {
    if (!isFederationError(error, 'LOCAL_STATE_UNREADABLE')) throw error;
    const { firstPullAt } = await primaryState(store);
    if (firstPullAt !== undefined || (await new Pulled(store).everPulled()).size > 0) throw error;
    await removeState(store, pushCache);
    await removeState(store, fileName);
    return true;
  }
}
