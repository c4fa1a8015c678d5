import { z } from 'zod';
import { pipelines } from '../etl/window';
import { clusterIdSchema } from './ids';
import { spanSchema } from './span';

/** Who decided something, why and when. Generations store these facts with the decision. */
export const decidedSchema = z.object({
  /** The person: `name@host`, or the name given on the command line. */
  by: z.string(),
  /** The reason that the person gave; may be empty. */
  reason: z.string(),
  /** Time of the decision, in RFC 3339 format. */
  at: z.string(),
});
export type Decided = z.infer<typeof decidedSchema>;

/** Describes a decision, such as `by ann@host at 2026-11-20T12:00:00Z: too low`. */
export function describeDecided({ by, reason, at }: Decided): string {
  return `by ${by} at ${at}${reason === '' ? '' : `: ${reason}`}`;
}

/**
 * Selects one cluster's quarantined and shrunk sources from the lists in `generation`. A decision about them applies
 * only to the versions of their files in these lists, because these are the versions that the person has seen.
 */
const selectedSources = {
  cluster: clusterIdSchema,
  generation: z.number().int().positive(),
  /** Limits the selection to windows that overlap this span. */
  windows: spanSchema.optional(),
  /** Limits the selection to one pipeline. */
  pipeline: z.enum(pipelines).optional(),
};

/**
 * A person's decision, which a run commits. Unless the decision is a rollback, the run also merges new data.
 * - `accept`: the selected sources are merged although they look wrong. If a file contains nothing that could be
 *   merged, only an earlier `drop` is undone.
 * - `drop`: the selected sources stay quarantined for good, and no longer make runs `partial`.
 * - `give-name`: the cluster owns this cluster name from now on.
 * - `remove`: the cluster leaves every window. Other clusters can then own its names.
 * - `restore`: a removed cluster comes back, with the history that the generations still have.
 * - `rollback`: the windows of an earlier generation become current again, and a hold keeps other runs from committing.
 */
export const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accept'), ...selectedSources }),
  z.object({ kind: z.literal('drop'), ...selectedSources }),
  z.object({ kind: z.literal('give-name'), cluster: clusterIdSchema, name: z.string() }),
  z.object({ kind: z.literal('remove'), cluster: clusterIdSchema }),
  z.object({ kind: z.literal('restore'), cluster: clusterIdSchema }),
  z.object({ kind: z.literal('rollback'), to: z.number().int().positive() }),
]);
export type Change = z.infer<typeof changeSchema>;

/** Describes a change in a few words, for lists of runs and for the Temporal UI. */
export function describeChange(change: Change): string {
  switch (change.kind) {
    case 'accept':
      return `accept ${change.cluster} as listed in generation ${change.generation}`;
    case 'drop':
      return `drop what generation ${change.generation} quarantines of ${change.cluster}`;
    case 'give-name':
      return `give the name ${change.name} to ${change.cluster}`;
    case 'remove':
    case 'restore':
      return `${change.kind} ${change.cluster}`;
    case 'rollback':
      return `roll back to generation ${change.to}`;
  }
}
