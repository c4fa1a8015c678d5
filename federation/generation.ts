import { z } from 'zod';
import { decidedSchema } from './change';
import { clusterIdSchema, seenSchema, versionSchema, windowIdSchema } from './ids';
import { membershipSchema } from './membership';
import { nameConflictSchema } from './name-conflicts';
import { noticeSchema } from './notices';
import { isNamed, type ShrunkSource, shrunkSourceSchema } from './shrinkage';
import { writersSchema } from './writers';

/** SHA-256 digest in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** A window in a generation. The fields describe the object that contains the merged window. */
export const generationWindowSchema = z.object({
  /** Fingerprint of the window, computed by `fingerprint.ts`. It is part of the object's key. */
  fingerprint: digestSchema,
  /** SHA-256 of the object's bytes. */
  digest: digestSchema,
  /** Size of the object in bytes. */
  size: z.number().int().nonnegative(),
});
export type GenerationWindow = z.infer<typeof generationWindowSchema>;

/**
 * A quarantined source: a cluster's file that was not merged into a window, because it is bad or has vanished. While a
 * generation lists quarantined sources of included clusters, runs end as `partial`, unless a person has dropped all of
 * these sources.
 */
export const quarantinedSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** Version of the file, or `absent` if it has vanished. */
  seen: seenSchema,
  /** Error code that says why the source is quarantined. */
  code: z.string(),
  detail: z.string(),
  /**
   * Version of the object under `kept/` that contains the cluster's last good contribution. This contribution is merged
   * instead of the file. Undefined if there is no good contribution.
   */
  kept: versionSchema.optional(),
  /**
   * Set if a person has decided that this version of the file is never to be merged. The source then no longer makes
   * runs `partial`. Any other version of the file is judged like a new file.
   */
  dropped: decidedSchema.optional(),
  /**
   * Cluster names in the file that belong to other clusters. Present only if the code is CLUSTER_NAME_TAKEN. The list
   * is empty if only other files of the cluster contain such names.
   */
  names: z.array(z.string()).optional(),
});
export type QuarantinedSource = z.infer<typeof quarantinedSourceSchema>;

/**
 * A source that looks wrong, but is merged as it is, because a person has accepted this version of the file. If the
 * file has vanished, the window has no data from the cluster.
 */
export const acceptedSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** Version of the file, or `absent` if it has vanished. */
  seen: seenSchema,
  /** Error code with which the source was quarantined, or SOURCE_SHRUNK if it was merged and listed as shrunk. */
  code: z.string(),
  decided: decidedSchema,
});
export type AcceptedSource = z.infer<typeof acceptedSourceSchema>;

/**
 * `kept`: the window still contains the cluster's last good contribution. `refused`: the window has no data from the
 * cluster.
 */
export type QuarantineState = 'kept' | 'refused';

export function quarantineState({ kept }: Pick<QuarantinedSource, 'kept'>): QuarantineState {
  return kept === undefined ? 'refused' : 'kept';
}

/**
 * Identifies a generation. The number alone is not enough: if a bucket is restored to an earlier state, the next
 * generation may have a number that was used before.
 */
export const generationNameSchema = z.object({
  generation: z.number().int().positive(),
  /** Id of the run that committed the generation. */
  run: z.string(),
});
export type GenerationName = z.infer<typeof generationNameSchema>;

/**
 * Names the newest generation at the time of a commit that started from an earlier one. `run` is undefined if that
 * generation was damaged and could not be read.
 */
export const replacedSchema = generationNameSchema.partial({ run: true });
export type ReplacedGeneration = z.infer<typeof replacedSchema>;

/**
 * A hold, which a rollback puts on the federation. While the newest generation has a hold, runs commit nothing, except
 * for a run that ends the hold and for another rollback.
 */
export const holdSchema = z.object({
  /** Number of the generation whose windows became current again. */
  generation: z.number().int().positive(),
  ...decidedSchema.shape,
});
export type Hold = z.infer<typeof holdSchema>;

/**
 * A generation: the result of one commit. It lists the merged object of every window, and the included and excluded
 * clusters. A generation is never changed after it is created.
 */
export const generationSchema = z.object({
  format: z.literal(1),
  /** Id of the federation to which the generation belongs. */
  federation: z.string().min(1),
  ...generationNameSchema.shape,
  /** Time of the commit, by the federator's clock, in RFC 3339 format. */
  committedAt: z.string(),
  /**
   * The generation that this one was made from. This is the previous generation, except after a rollback or if the
   * previous generation was damaged. Undefined if this is the first generation.
   */
  parent: generationNameSchema.optional(),
  /**
   * The newest generation at the time of the commit, if it is not `parent`. The new generation descends from both. So a
   * primary that has pulled the replaced generation, or one of its ancestors, may pull the new generation. The numbers
   * in such a line of descent are not consecutive.
   */
  replaces: replacedSchema.optional(),
  /** Set if a rollback committed the generation. */
  hold: holdSchema.optional(),
  /** Revision of the merge code in the federator that committed the generation (see `merge-revision.ts`). */
  mergeRevision: z.number().int().positive(),
  /** Version of the program that committed the generation, as `programVersion` returns it. */
  program: z.string(),
  membership: membershipSchema,
  /** The windows, keyed by WindowId. */
  windows: z.record(z.string(), generationWindowSchema),
  quarantined: z.array(quarantinedSourceSchema),
  /** The sources that are merged because a person has accepted them. A source is listed until its version changes. */
  accepted: z.array(acceptedSourceSchema),
  /** Notices about the folders of the included clusters. */
  notices: z.array(noticeSchema),
  /** What is known about the writers of the included clusters' folders, keyed by cluster id. */
  writers: z.record(clusterIdSchema, writersSchema),
  /**
   * The owners of the cluster names in the records, keyed by name. A cluster keeps its names, even while it is
   * excluded, until it is removed or a person gives the names to another cluster.
   */
  names: z.record(z.string(), clusterIdSchema),
  /** The included clusters whose records carry other clusters' names, keyed by cluster id. */
  nameConflicts: z.record(clusterIdSchema, nameConflictSchema),
  /** The sources that have become smaller. A source is listed for as long as this version of its file is merged. */
  shrunk: z.array(shrunkSourceSchema),
});
export type Generation = z.infer<typeof generationSchema>;

/**
 * Returns the quarantined sources that need attention: those of included clusters, unless a person has dropped the
 * source. Only these make a run `partial`. A generation also keeps the quarantined sources of excluded clusters, until
 * the clusters are included again.
 */
export function openQuarantined(
  generation: Pick<Generation, 'membership' | 'quarantined'>,
): QuarantinedSource[] {
  const included = new Set(generation.membership.clusters);
  return generation.quarantined.filter(
    ({ cluster, dropped }) => included.has(cluster) && dropped === undefined,
  );
}

/**
 * Returns the sources of included clusters that lost much of their data while their windows were not closed yet.
 * Operators should look at them.
 */
export function shrunkSources(generation: Pick<Generation, 'membership' | 'shrunk'>): ShrunkSource[] {
  const included = new Set(generation.membership.clusters);
  return generation.shrunk.filter((source) => included.has(source.cluster) && isNamed(source));
}
