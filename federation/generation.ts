import { z } from 'zod';
import { clusterIdSchema, seenSchema, versionSchema, windowIdSchema } from './ids';
import { membershipSchema } from './membership';

/** SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A window of a generation, described by its merged object. */
export const generationWindowSchema = z.object({
  /** Name of the object; see `fingerprint.ts`. */
  fingerprint: digestSchema,
  /** SHA-256 of the object's bytes. */
  digest: digestSchema,
  /** Size of the object in bytes. */
  size: z.number().int().nonnegative(),
});
export type GenerationWindow = z.infer<typeof generationWindowSchema>;

/**
 * A source that was not merged as it is. Runs end `partial` while the generation lists such a source of an included
 * cluster.
 */
export const quarantinedSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** Version of the source, or `absent` if it vanished. */
  seen: seenSchema,
  /** Error code that says why the source is quarantined. */
  code: z.string(),
  detail: z.string(),
  /** Version of the object under `kept/` that is merged instead; undefined if no good contribution is known. */
  kept: versionSchema.optional(),
});
export type QuarantinedSource = z.infer<typeof quarantinedSourceSchema>;

/**
 * `kept`: the cluster's last good contribution stays in the window. `refused`: the window has no data of the cluster.
 */
export type QuarantineState = 'kept' | 'refused';

export function quarantineState({ kept }: Pick<QuarantinedSource, 'kept'>): QuarantineState {
  return kept === undefined ? 'refused' : 'kept';
}

/** One commit: the merged object of every window, and the membership. Immutable once created. */
export const generationSchema = z.object({
  format: z.literal(1),
  generation: z.number().int().positive(),
  /** Id of the run that committed the generation. */
  run: z.string(),
  /** Time of the commit, RFC 3339, by the federator's clock. */
  committedAt: z.string(),
  /** Number of the previous generation; 0 if this is the first one. */
  previous: z.number().int().nonnegative(),
  /** Merge revision of the code that committed the generation. */
  mergeRevision: z.number().int().positive(),
  membership: membershipSchema,
  /** The windows, by WindowId. */
  windows: z.record(z.string(), generationWindowSchema),
  quarantined: z.array(quarantinedSourceSchema),
});
export type Generation = z.infer<typeof generationSchema>;

/**
 * Returns the quarantined sources of included clusters, which make a run `partial`. A generation also lists those of
 * excluded clusters until these return.
 */
export function quarantinedOfIncluded(
  generation: Pick<Generation, 'membership' | 'quarantined'>,
): QuarantinedSource[] {
  const included = new Set(generation.membership.clusters);
  return generation.quarantined.filter((source) => included.has(source.cluster));
}
