import { z } from 'zod';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
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
