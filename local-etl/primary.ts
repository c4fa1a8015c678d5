import { z } from 'zod';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'primary.json';

const primarySchema = z.object({
  format: z.literal(1),
  /** Since when this is no longer a primary, by a person's word. */
  leftAt: z.string().optional(),
  /** When the guard let it pass; once is for ever. */
  guardPassedAt: z.string().optional(),
  /** What the guard waited for when it last looked. */
  waitingFor: z.string().optional(),
  /** The backup that was taken before the first overwrite since it entered; empty when there was nothing to save. */
  backup: z.string().optional(),
  /** Before the first file was ever replaced: from here on only what is surely its own is pushed. */
  firstPullAt: z.string().optional(),
  /** The last generation that was pulled to its end. */
  lastPull: z.object({ generation: z.number(), at: z.string() }).optional(),
});
/** A volume's state as a primary. */
export type PrimaryState = z.infer<typeof primarySchema>;

export async function primaryState(store: LocalEtl): Promise<PrimaryState> {
  return (await readStateCached(store, fileName, primarySchema)) ?? { format: 1 };
}

/** Changes fields of it; `undefined` takes one away. */
export async function updatePrimary(store: LocalEtl, change: Partial<PrimaryState>): Promise<void> {
  await withLock(store, 'primary', async () => {
    await writeState(store, fileName, { ...(await primaryState(store)), ...change });
  });
}
