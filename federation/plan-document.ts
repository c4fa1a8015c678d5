import { z } from 'zod';
import { generationWindowSchema, quarantinedSourceSchema } from './generation';
import { clusterIdSchema, decisionSchema, seenSchema, windowIdSchema } from './ids';
import { fullListingSchema } from './listing';
import { membershipSchema } from './membership';

/** A cluster's source for a window, as planned. */
export const plannedSourceSchema = z.object({
  cluster: clusterIdSchema,
  /** The version that was listed, or `absent`. */
  seen: seenSchema,
  /** The decision so far: `used` until the file has been read. */
  decision: decisionSchema,
  /** Size in bytes, as listed; 0 if absent. */
  size: z.number().int().nonnegative(),
  /** Path below `etl/bingen/`; undefined if it is the window's id. */
  path: z.string().optional(),
});
export type PlannedSource = z.infer<typeof plannedSourceSchema>;

/** A window to be merged. */
export const plannedWindowSchema = z.object({
  window: windowIdSchema,
  /**
   * Fingerprint that the window gets if every `used` source turns out to be good and no cluster's file has vanished.
   */
  candidate: z.string(),
  /** One source for each included cluster with a file or a quarantined source, in byte order of the cluster ids. */
  sources: z.array(plannedSourceSchema),
  /** Fingerprint of the window in the base; undefined if the base does not have the window. */
  base: z.string().optional(),
  /** By id of a returning cluster: the window's fingerprint in the newest generation that included the cluster. */
  returning: z.record(z.string(), z.string()),
  /** The base's quarantined sources for this window, but only those of included clusters. */
  quarantined: z.array(quarantinedSourceSchema),
  /** Merge the window even if it has been merged already. */
  force: z.boolean(),
});
export type PlannedWindow = z.infer<typeof plannedWindowSchema>;

/** Windows of a plan that are merged as one unit of work. */
export const planShardSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  /** Number of the generation that the plan starts from; 0 if there is none. */
  base: z.number().int().nonnegative(),
  /** The included clusters. */
  clusters: z.array(clusterIdSchema),
  windows: z.array(plannedWindowSchema),
});
export type PlanShard = z.infer<typeof planShardSchema>;

/** The part of a plan that the commit needs. The head is written after the shards. */
export const planHeadSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  attempt: z.number().int().positive(),
  base: z.number().int().nonnegative(),
  membership: membershipSchema,
  /** The window ids of each shard. */
  shards: z.array(z.array(z.string())),
  /** Windows to remove. */
  removed: z.array(z.string()),
  /** The base's quarantined sources that the next generation lists, too, whatever the merges find. */
  quarantined: z.array(quarantinedSourceSchema),
  /** Set if everything was listed. The listing is recorded once the plan is committed. */
  fullListing: fullListingSchema.optional(),
});
export type PlanHead = z.infer<typeof planHeadSchema>;

/** The result of merging a planned window. `merged` is undefined if no cluster has a good contribution. */
export const windowResultSchema = z.object({
  window: windowIdSchema,
  merged: generationWindowSchema.optional(),
  quarantined: z.array(quarantinedSourceSchema),
});
export type WindowResult = z.infer<typeof windowResultSchema>;

/** The results of all windows of a shard. */
export const shardOutcomeSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  windows: z.array(windowResultSchema),
});
export type ShardOutcome = z.infer<typeof shardOutcomeSchema>;

/** Maximum number of windows in a shard: a list of them has to fit into a Temporal payload. */
const mostWindows = 50;
/**
 * Maximum number of sources in a shard, as a shard is read as a whole. A window with more sources gets its own shard.
 */
const mostSources = 20_000;

/** Divides the windows of a plan into shards, and keeps their order. */
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
