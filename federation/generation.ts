import { z } from 'zod';
import { membershipSchema } from './membership';

/** SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A window of a generation: the merged object that stands for it. */
export const generationWindowSchema = z.object({
  /** Names the object; see `fingerprint.ts`. */
  fingerprint: digestSchema,
  /** SHA-256 of the object's bytes. */
  digest: digestSchema,
  /** The object's size in bytes. */
  size: z.number().int().nonnegative(),
});
export type GenerationWindow = z.infer<typeof generationWindowSchema>;

/** A source that was not taken as it is. While a generation lists one of an included cluster, runs end `partial`. */
export const sourceProblemSchema = z.object({
  cluster: z.string(),
  /** A WindowId. */
  window: z.string(),
  /** The version of the source that was refused, or `absent` when it vanished. */
  seen: z.string(),
  /** The error code that says why. */
  code: z.string(),
  detail: z.string(),
  /** The version of the object under `kept/` that stands in for it; absent when there was nothing good to keep. */
  kept: z.string().optional(),
});
export type SourceProblem = z.infer<typeof sourceProblemSchema>;

/** One commit: which object every window is, and who is in it. Immutable once created. */
export const generationSchema = z.object({
  format: z.literal(1),
  generation: z.number().int().positive(),
  /** The run that committed it. */
  run: z.string(),
  /** RFC 3339, by the federator's clock. */
  committedAt: z.string(),
  /** The generation that it was made from; 0 for the first one. */
  previous: z.number().int().nonnegative(),
  /** The merge revision of the code that committed it. */
  mergeRevision: z.number().int().positive(),
  membership: membershipSchema,
  /** By WindowId. */
  windows: z.record(z.string(), generationWindowSchema),
  problems: z.array(sourceProblemSchema),
});
export type Generation = z.infer<typeof generationSchema>;

/** The problems that make a run `partial`: those of clusters that are in. The others wait for their cluster's return. */
export function openProblems(generation: Pick<Generation, 'membership' | 'problems'>): SourceProblem[] {
  const included = new Set(generation.membership.clusters);
  return generation.problems.filter((problem) => included.has(problem.cluster));
}
