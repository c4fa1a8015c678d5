import { z } from 'zod';
import {
  acceptedSourceSchema,
  generationWindowSchema,
  holdSchema,
  quarantinedSourceSchema,
  replacedSchema,
} from './generation';
import { clusterIdSchema, decisionSchema, seenSchema, windowIdSchema } from './ids';
import { fullListingSchema } from './listing';
import { membershipSchema } from './membership';
import { nameConflictSchema } from './name-conflicts';
import { noticeSchema } from './notices';
import { shrinkageRulesSchema, shrunkSourceSchema } from './shrinkage';
import { writersSchema } from './writers';

/** A source in a plan: one cluster's file for a window. */
export const plannedSourceSchema = z.object({
  cluster: clusterIdSchema,
  /** Version of the file in the listing, or `absent`. */
  seen: seenSchema,
  /** The planner's decision. `used` is preliminary: the merge may still quarantine the file after reading it. */
  decision: decisionSchema,
  /** Size of the file in bytes, as listed; 0 if it is absent. */
  size: z.number().int().nonnegative(),
  /** Path below the cluster's `etl/bingen/`; undefined if the path is the same as the window's id. */
  path: z.string().optional(),
  /**
   * Cluster names that the file contains, but that the cluster does not own. Set only if the cluster carries other
   * clusters' names, and the file has been read before.
   */
  names: z.array(z.string()).optional(),
});
export type PlannedSource = z.infer<typeof plannedSourceSchema>;

/** A window to be merged. */
export const plannedWindowSchema = z.object({
  window: windowIdSchema,
  /**
   * Expected fingerprint of the window, computed from `sources`. The merge computes another one if it finds that a file
   * is bad or missing.
   */
  candidate: z.string(),
  /** The sources of the window, at most one for each included cluster, in byte order of the cluster ids. */
  sources: z.array(plannedSourceSchema),
  /** Fingerprint of the window in the base generation; undefined if the base generation does not have the window. */
  base: z.string().optional(),
  /**
   * For each cluster that was excluded and is now included again, by id: the fingerprint of the window in the last
   * generation that included the cluster.
   */
  returning: z.record(z.string(), z.string()),
  /** Quarantined sources of this window in the base generation, except those of excluded clusters. */
  quarantined: z.array(quarantinedSourceSchema),
  /** Accepted sources of this window, except those of excluded clusters. */
  accepted: z.array(acceptedSourceSchema),
  /** Shrunk sources of this window in the base generation, except those of excluded clusters. */
  shrunk: z.array(shrunkSourceSchema),
  /** Whether to merge the window even if its merged object already exists. */
  force: z.boolean(),
  /**
   * Whether all contributions come from the merged object of the base generation, and no cluster's file is read. True
   * in rollbacks.
   */
  fromBase: z.boolean(),
});
export type PlannedWindow = z.infer<typeof plannedWindowSchema>;

/** What a plan knows about cluster names. */
const plannedNamesSchema = z.object({
  /** The owners of cluster names before the run, keyed by name. */
  names: z.record(z.string(), clusterIdSchema),
  /** The clusters whose new files are not merged, because their records carry other clusters' names. */
  nameConflicts: z.record(clusterIdSchema, nameConflictSchema),
});

/** A shard: a group of a plan's windows, stored as one object. */
export const planShardSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  /** Number of the generation that the plan starts from; 0 if there is none. */
  base: z.number().int().nonnegative(),
  /** Ids of the included clusters. */
  clusters: z.array(clusterIdSchema),
  ...plannedNamesSchema.shape,
  /**
   * Time of the plan in unix seconds, and the rules by which files are judged. Both are part of the plan, so that a
   * repeated merge makes the same decisions.
   */
  now: z.number(),
  shrinkage: shrinkageRulesSchema,
  windows: z.array(plannedWindowSchema),
});
export type PlanShard = z.infer<typeof planShardSchema>;

/** The head of a plan: the part that the commit needs. It is written after the shards. */
export const planHeadSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  attempt: z.number().int().positive(),
  /** Number of the generation that the plan starts from; 0 if there is none. */
  base: z.number().int().nonnegative(),
  /**
   * Number of the newest generation when the plan was made; 0 if there was none. Differs from `base` if the newest
   * generation is damaged or is being rolled back.
   */
  newest: z.number().int().nonnegative(),
  /** Number that the commit gives to the new generation. It is higher than any number that was ever used. */
  number: z.number().int().positive(),
  /** The newest generation, if it is not the one that the plan starts from. */
  replaces: replacedSchema.optional(),
  /** The hold that the new generation puts on the federation; undefined unless the plan is a rollback. */
  hold: holdSchema.optional(),
  /** Id of the federation to which the new generation belongs. */
  federation: z.string().min(1),
  /**
   * How the commit writes `federation.json`: `create` before the first generation; later `replace`, if the document is
   * missing or names another federation. Undefined if it already names `federation`.
   */
  recordFederation: z.enum(['create', 'replace']).optional(),
  membership: membershipSchema,
  /** Ids of the windows in each shard. */
  shards: z.array(z.array(z.string())),
  /** Ids of the windows to remove, because they are older than the retention. */
  removed: z.array(z.string()),
  /**
   * Quarantined sources of the base generation that stay quarantined in the next generation, whatever the merges find.
   */
  quarantined: z.array(quarantinedSourceSchema),
  /** Accepted sources that the next generation lists regardless of what the merges find. */
  accepted: z.array(acceptedSourceSchema),
  /** Notices about the folders of the included clusters. */
  notices: z.array(noticeSchema),
  /** What is known about the writers of the included clusters' folders, keyed by cluster id. */
  writers: z.record(clusterIdSchema, writersSchema),
  ...plannedNamesSchema.shape,
  /** Shrunk sources that the next generation lists regardless of what the merges find. */
  shrunk: z.array(shrunkSourceSchema),
  /**
   * Record of the full listing that the plan was made from; undefined if the plan was not made from one. Stored in the
   * bucket once the plan is committed.
   */
  fullListing: fullListingSchema.optional(),
});
export type PlanHead = z.infer<typeof planHeadSchema>;

/** Result of merging a planned window. `merged` is undefined if no cluster has a good contribution. */
export const windowResultSchema = z.object({
  window: windowIdSchema,
  merged: generationWindowSchema.optional(),
  quarantined: z.array(quarantinedSourceSchema),
  /** The accepted sources of the window that were merged as they are. */
  accepted: z.array(acceptedSourceSchema),
  /**
   * Merged sources whose records carry cluster names that, according to the plan, their cluster does not own. Usually
   * there are none.
   */
  names: z.array(z.object({ cluster: clusterIdSchema, seen: seenSchema, names: z.array(z.string()) })),
  shrunk: z.array(shrunkSourceSchema),
});
export type WindowResult = z.infer<typeof windowResultSchema>;

/** The results of all windows of a shard. */
export const shardOutcomeSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  windows: z.array(windowResultSchema),
});
export type ShardOutcome = z.infer<typeof shardOutcomeSchema>;

/** Maximum number of windows in a shard. The list of a shard's windows has to fit into a Temporal payload. */
const mostWindows = 50;
/**
 * Maximum number of sources in a shard. It limits memory, because a shard is read as a whole. A window with more
 * sources gets its own shard.
 */
const mostSources = 20_000;

/** Divides the windows of a plan into shards without changing their order. */
export function inShards(windows: readonly PlannedWindow[]): PlannedWindow[][] {
  const shards: PlannedWindow[][] = [];
  let current: PlannedWindow[] = [];
  let sources = 0;
  for (const window of windows) {
    const full = current.length === mostWindows || sources + window.sources.length > mostSources;
    if (full && current.length > 0) {
      shards.push(current);
      current = [];
      sources = 0;
    }
    current.push(window);
    sources += window.sources.length;
  }
  if (current.length > 0) shards.push(current);
  return shards;
}
