import { z } from 'zod';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'primary.json';

const primarySchema = z.object({
  format: z.literal(1),
  /** When an operator made this cluster stop being a primary. */
  leftAt: z.string().optional(),
  /** When the guard was passed; it is never checked again. */
  guardPassedAt: z.string().optional(),
  /** What the guard was waiting for at its last check. */
  waitingFor: z.string().optional(),
  /** The backup taken before the first overwrite since entering; empty if there was nothing to save. */
  backup: z.string().optional(),
  /** Set before the first file was ever replaced. From then on, only files that are certainly the cluster's own are pushed. */
  firstPullAt: z.string().optional(),
  /** The last generation pulled completely. */
  lastPull: z.object({ generation: z.number(), at: z.string() }).optional(),
});
/** A volume's state as a primary. */
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
