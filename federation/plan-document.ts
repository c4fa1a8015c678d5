import { z } from 'zod';
import { generationWindowSchema, quarantinedSourceSchema } from './generation';
import { fullListingSchema } from './listing';
import { membershipSchema } from './membership';

/** What a plan says of one cluster's source of one window. */
export const plannedSourceSchema = z.object({
  cluster: z.string(),
  /** The version that was listed, or `absent`. */
  seen: z.string(),
  /** What is known already; `used` until the file was read. */
  decision: z.string(),
  /** In bytes, as listed; 0 when absent. */
  size: z.number().int().nonnegative(),
  /** Below `etl/bingen/`, where it is not simply the window's id. */
  path: z.string().optional(),
});
export type PlannedSource = z.infer<typeof plannedSourceSchema>;

/** A window to be merged. */
export const plannedWindowSchema = z.object({
  /** A WindowId. */
  window: z.string(),
  /** Its fingerprint if every source that is `used` proves good and none vanished. */
  candidate: z.string(),
  /** Every included cluster that has something to say, in byte order. */
  sources: z.array(plannedSourceSchema),
  /** The base's fingerprint of this window. */
  base: z.string().optional(),
  /** By returning cluster: the window's fingerprint in the newest generation that held the cluster. */
  returning: z.record(z.string(), z.string()),
  /** The base's quarantined sources of this window, of included clusters. */
  quarantined: z.array(quarantinedSourceSchema),
  /** Merge it though it is merged. */
  force: z.boolean(),
});
export type PlannedWindow = z.infer<typeof plannedWindowSchema>;

/** Windows of a plan that are merged as one unit of work. */
export const planShardSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  /** The generation that it starts from; 0 when there is none. */
  base: z.number().int().nonnegative(),
  /** The included clusters. */
  clusters: z.array(z.string()),
  windows: z.array(plannedWindowSchema),
});
export type PlanShard = z.infer<typeof planShardSchema>;

/** What a commit needs of a plan. Written after its shards. */
export const planHeadSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  attempt: z.number().int().positive(),
  base: z.number().int().nonnegative(),
  membership: membershipSchema,
  /** By shard: the ids of its windows. */
  shards: z.array(z.array(z.string())),
  /** Windows that leave. */
  removed: z.array(z.string()),
  /** The base's quarantined sources that stay, whatever the merges find. */
  quarantined: z.array(quarantinedSourceSchema),
  /** Where everything was to be listed: what is remembered of it once the plan is committed. */
  fullListing: fullListingSchema.optional(),
});
export type PlanHead = z.infer<typeof planHeadSchema>;

/** What became of a planned window: its merged object, or nothing where no cluster has anything good to contribute. */
export const windowResultSchema = z.object({
  window: z.string(),
  merged: generationWindowSchema.optional(),
  quarantined: z.array(quarantinedSourceSchema),
});
export type WindowResult = z.infer<typeof windowResultSchema>;

/** What became of a shard. */
export const shardOutcomeSchema = z.object({
  format: z.literal(1),
  run: z.string(),
  windows: z.array(windowResultSchema),
});
export type ShardOutcome = z.infer<typeof shardOutcomeSchema>;

/** More windows than these are no shard: a list of them has to fit into a payload. */
const mostWindows = 50;
/** Nor are more sources: a shard is read whole. */
const mostSources = 20_000;

/** Cuts a plan into shards, in order. */
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
