import { z } from 'zod';

/**
 * Says which federation a bucket contains. It is written before the first generation. Once there are generations, the
 * bucket contains the federation that the newest one names. If this document is then missing or damaged, or names
 * another federation, it is written again.
 */
export const federationSchema = z.object({
  format: z.literal(1),
  /** Id of the federation, a UUID. Each generation names it. */
  federation: z.string().min(1),
  /** Time when this document was written, by the federator's clock, in RFC 3339 format. */
  createdAt: z.string(),
  /** Id of the cluster whose federator wrote this document. */
  federator: z.string(),
});
export type FederationDocument = z.infer<typeof federationSchema>;

/**
 * Identifies a generation among those of all federations, even if a bucket was restored to an earlier state or confused
 * with another bucket.
 */
export const generationIdentitySchema = z.object({
  /** Id of the federation. */
  federation: z.string().min(1),
  generation: z.number().int().positive(),
  /** Id of the run that committed the generation. */
  run: z.string(),
});
export type GenerationIdentity = z.infer<typeof generationIdentitySchema>;

/** Parses the identity of a generation in a message. Returns undefined for any other message. */
export function parseIdentity(message: unknown): GenerationIdentity | undefined {
  return generationIdentitySchema.safeParse(message).data;
}

/**
 * Returns the identity to remember after a commit: the identity of the committed generation, unless the known identity
 * is that of a later generation of the same federation.
 */
export function newerIdentity(
  known: GenerationIdentity | undefined,
  committed: GenerationIdentity,
): GenerationIdentity {
  const isLate = known?.federation === committed.federation && known.generation > committed.generation;
  return isLate ? known : committed;
}

/** Returns the identity of a generation without its content. */
export function identityOf({ federation, generation, run }: GenerationIdentity): GenerationIdentity {
  return { federation, generation, run };
}
