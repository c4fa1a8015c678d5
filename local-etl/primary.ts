import { z } from 'zod';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'primary.json';

const primarySchema = z.object({
  format: z.literal(1),
  /** Time at which an operator made this cluster stop being a primary. */
  leftAt: z.string().optional(),
  /** Time at which the guard that waits for the cluster's own windows was passed. The guard is never checked again. */
  guardPassedAt: z.string().optional(),
  /** What the guard was waiting for at its last check. */
  waitingFor: z.string().optional(),
  /**
   * Name of the backup made before the first overwrite since the cluster became a primary. Empty if there was nothing
   * to save.
   */
  backup: z.string().optional(),
  /**
   * Set before a file is replaced for the first time ever. From then on, only files that are certainly the cluster's
   * own are pushed.
   */
  firstPullAt: z.string().optional(),
  /** The last generation that was pulled completely. */
  lastPull: z.object({ generation: z.number(), at: z.string() }).optional(),
});
/** State of a volume as that of a primary. */
export type PrimaryState = z.infer<typeof primarySchema>;

export async function primaryState(store: LocalEtl): Promise<PrimaryState> {
  return (await readStateCached(store, fileName, primarySchema)) ?? { format: 1 };
}

/** Changes fields of the state; `undefined` removes a field. */
export async function updatePrimary(store: LocalEtl, change: Partial<PrimaryState>): Promise<void> {
  await withLock(store, 'primary', async () => {
    await writeState(store, fileName, { ...(await primaryState(store)), ...change });
  });
}
