import { z } from 'zod';
import { clusterIdSchema, seenSchema, versionSchema, windowIdSchema } from './ids';
import { membershipSchema } from './membership';

/** SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A window of a generation: its merged object. */
export const generationWindowSchema = z.object({
  /** The name of the object; see `fingerprint.ts`. */
  fingerprint: digestSchema,
  /** SHA-256 of the object's bytes. */
  digest: digestSchema,
  /** The object's size in bytes. */
  size: z.number().int().nonnegative(),
});
export type GenerationWindow = z.infer<typeof generationWindowSchema>;

/** A source that was not taken as it is. While a generation lists one of an included cluster, runs end `partial`. */
export const quarantinedSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** The source's version, or `absent` if it vanished. */
  seen: seenSchema,
  /** The error code of the reason. */
  code: z.string(),
  detail: z.string(),
  /** The version of the object under `kept/` that is merged instead; undefined if nothing good is known. */
  kept: versionSchema.optional(),
});
export type QuarantinedSource = z.infer<typeof quarantinedSourceSchema>;

/** `kept`: the cluster's last good contribution stays in the window. `refused`: the window has nothing of the cluster. */
export type QuarantineState = 'kept' | 'refused';

export function quarantineState({ kept }: Pick<QuarantinedSource, 'kept'>): QuarantineState {
  return kept === undefined ? 'refused' : 'kept';
}

/** One commit: the object of every window, and the membership. Immutable once created. */
export const generationSchema = z.object({
  format: z.literal(1),
  generation: z.number().int().positive(),
  /** The run that committed it. */
  run: z.string(),
  /** RFC 3339, by the federator's clock. */
  committedAt: z.string(),
  /** The generation before; 0 for the first one. */
  previous: z.number().int().nonnegative(),
  /** The merge revision of the code that committed it. */
  mergeRevision: z.number().int().positive(),
  membership: membershipSchema,
  /** By WindowId. */
  windows: z.record(z.string(), generationWindowSchema),
  quarantined: z.array(quarantinedSourceSchema),
});
export type Generation = z.infer<typeof generationSchema>;

/** The sources that make a run `partial`: those of included clusters. The others wait for their cluster's return. */
export function quarantinedOfIncluded(
  generation: Pick<Generation, 'membership' | 'quarantined'>,
): QuarantinedSource[] {
  const included = new Set(generation.membership.clusters);
  return generation.quarantined.filter((source) => included.has(source.cluster));
}
