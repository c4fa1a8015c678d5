import { z } from 'zod';
import { generationIdentitySchema } from '../federation/identity';
import { withLock } from './lock';
import { readStateCached, writeState } from './state';
import type { LocalEtl } from './store';

const fileName = 'primary.json';

/** Why the last pull was refused: the bucket's newest generation does not continue the one on this volume. */
const refusalSchema = z.object({
  /** Error code: FEDERATION_MISSING or FEDERATION_OTHER. */
  code: z.string(),
  detail: z.string(),
  /** Tells the operator what to do. */
  hint: z.string(),
});
export type PullRefusal = z.infer<typeof refusalSchema>;

const primarySchema = z.object({
  format: z.literal(1),
  /** Time at which an operator ended this cluster's role as a primary (a cluster that pulls the combined data). */
  leftAt: z.string().optional(),
  /**
   * Time at which this cluster was first allowed to pull. Until then, a guard blocks all pulls: it waits until the
   * combined data includes the cluster's own windows. After that, the guard is never checked again.
   */
  guardPassedAt: z.string().optional(),
  /** What the guard was waiting for when it was last checked. */
  waitingFor: z.string().optional(),
  /** Time at which the guard first blocked a pull, in RFC 3339 format. Kept while the guard waits. */
  waitingSince: z.string().optional(),
  /**
   * Name of the backup made after the cluster became a primary, before its first pull replaced any file. Empty if there
   * was nothing to save.
   */
  backup: z.string().optional(),
  /**
   * Time of the first pull, saved before that pull replaces a file. From this time on, the cluster pushes only files
   * that are certainly its own.
   */
  firstPullAt: z.string().optional(),
  /** The newest generation (numbered version) of the combined data that was pulled completely. */
  lastPull: z.object({ generation: z.number(), at: z.string() }).optional(),
  /**
   * The newest generation that a pull has started to write to this volume. It is saved before the first file is
   * written. After that, pulls accept only this generation and generations that continue it.
   */
  known: generationIdentitySchema.optional(),
  /**
   * Id of a federation that the next pull may accept although it does not continue `known`, because a person has
   * allowed it.
   */
  accepts: z.string().optional(),
  refused: refusalSchema.optional(),
});
/** State of a primary (a cluster that pulls the combined data), saved on the cluster's volume. */
export type PrimaryState = z.infer<typeof primarySchema>;

export async function primaryState(store: LocalEtl): Promise<PrimaryState> {
  return (await readStateCached(store, fileName, primarySchema)) ?? { format: 1 };
}

/** Returns the update that lets a cluster pull from now on: the guard is never checked again. */
export function passGuard(now: Date): Partial<PrimaryState> {
  return { guardPassedAt: now.toISOString(), waitingFor: undefined, waitingSince: undefined };
}

/** Changes the given fields of the saved state. The value `undefined` removes a field. */
export async function updatePrimary(store: LocalEtl, change: Partial<PrimaryState>): Promise<void> {
  await withLock(store, 'primary', async () => {
    await writeState(store, fileName, { ...(await primaryState(store)), ...change });
  });
}
