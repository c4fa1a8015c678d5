import { z } from 'zod';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'primary.json';

const primarySchema = z.object({
  format: z.literal(1),
  /** Time at which an operator made this cluster stop being a primary. */
  leftAt: z.string().optional(),
  /**
   * Time at which the cluster passed the guard, which allows no pull until the generation includes the cluster's own
   * windows. Once passed, the guard is never checked again.
   */
  guardPassedAt: z.string().optional(),
  /** What the guard was waiting for at its last check. */
  waitingFor: z.string().optional(),
  /**
   * Name of the backup made before the first overwrite since the cluster became a primary. Empty if there was nothing
   * to save.
   */
  backup: z.string().optional(),
  /**
   * Time of the first pull, set before it replaces a file. From then on, the cluster pushes only files that are
   * certainly its own.
   */
  firstPullAt: z.string().optional(),
  /** The last generation that was pulled completely. */
  lastPull: z.object({ generation: z.number(), at: z.string() }).optional(),
});
/** What the volume remembers about its cluster as a primary. */
export type PrimaryState = z.infer<typeof primarySchema>;

export async function primaryState(store: LocalEtl): Promise<PrimaryState> {
  return (await readStateCached(store, fileName, primarySchema)) ?? { format: 1 };
}

/** Changes the given fields of the state. The value `undefined` removes a field. */
export async function updatePrimary(store: LocalEtl, change: Partial<PrimaryState>): Promise<void> {
  await withLock(store, 'primary', async () => {
    await writeState(store, fileName, { ...(await primaryState(store)), ...change });
  });
}
