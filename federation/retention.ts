import { z } from 'zod';
import { ownValue } from '../etl/own-value';
import type { Generation } from './generation';
import type { RemovedClusters } from './removal';

const hour = 3_600_000;
export const day = 24 * hour;
/** How long the last generation of each UTC day is kept, in milliseconds. */
const dailyFor = 30 * day;
/**
 * How long a removed cluster can be restored with its history, in milliseconds. This time begins when the removal is
 * requested.
 */
const restorableFor = 30 * day;

/** The facts about a generation that decide how long it is kept. */
export interface AgedGeneration {
  readonly generation: number;
  /** Time of the commit, by the store's clock. */
  readonly modified: Date;
}

export interface GenerationRetentionInput {
  /** All existing generations, in any order. */
  readonly generations: readonly AgedGeneration[];
  /**
   * The clusters that the newest generation excludes. For each of them, the last generation that included it is kept,
   * because that generation contains the cluster's history.
   */
  readonly excluded: Generation['membership']['excluded'];
  /** The clusters that are removed in the newest generation. */
  readonly removed: RemovedClusters;
  /**
   * The generations that a hold needs: the one that was rolled back to, and the newer ones that the rollback replaced.
   * When the hold ends, clusters and windows that the older generation lacks are taken from the newer ones.
   */
  readonly held: ReadonlySet<number>;
  /** How many of the newest generations are kept regardless of their age. If less than 1, one is kept. */
  readonly atLeast: number;
  /** Current time by the store's clock. */
  readonly now: Date;
}

/**
 * Returns the numbers of the generations to keep:
 * - all generations of the last 24 hours;
 * - the newest `atLeast` generations;
 * - the last generation of each UTC day, for 30 days;
 * - for each excluded cluster, the last generation that included it;
 * - for each cluster that was removed within the last 30 days, the last generation that included it;
 * - during a hold, the generations that the hold needs.
 */
export function generationsToKeep({
  generations,
  excluded,
  removed,
  held,
  atLeast,
  now,
}: GenerationRetentionInput): Set<number> {
  const newestFirst = [...generations].sort((a, b) => b.generation - a.generation);
  const keep = new Set(newestFirst.slice(0, Math.max(1, atLeast)).map((one) => one.generation));
  const days = new Set<string>();
  for (const { generation, modified } of newestFirst) {
    const age = now.getTime() - modified.getTime();
    const date = modified.toISOString().slice(0, 10);
    if (age <= day || (age <= dailyFor && !days.has(date))) keep.add(generation);
    days.add(date);
  }
  const there = new Set(newestFirst.map((one) => one.generation));
  const restorable = Object.values(removed).filter(
    ({ at }) => now.getTime() - Date.parse(at) <= restorableFor,
  );
  for (const { lastGeneration } of [...Object.values(excluded), ...restorable]) {
    if (lastGeneration !== undefined && there.has(lastGeneration)) keep.add(lastGeneration);
  }
  for (const generation of held) if (there.has(generation)) keep.add(generation);
  return keep;
}

/** State that the clean-up keeps from one pass to the next. */
export const unreferencedSchema = z.object({
  format: z.literal(1),
  /**
   * The objects that no remaining generation refers to, by key. The value is the time when a pass first found the
   * object unreferenced: by the store's clock, in RFC 3339 format.
   */
  seen: z.record(z.string(), z.string()),
});

/** An object that the clean-up may delete, and its age. */
export interface AgedObject {
  readonly key: string;
  /** Time when the object was last written, by the store's clock. */
  readonly modified: Date;
}

export interface UnreferencedInput {
  readonly objects: readonly AgedObject[];
  isReferenced(key: string): boolean;
  /**
   * State from the previous pass: for each unreferenced object, by key, the time when a pass first found the object
   * unreferenced, in RFC 3339 format.
   */
  readonly seen: Readonly<Record<string, string>>;
  /** Current time by the store's clock. */
  readonly now: Date;
}

/**
 * Finds the objects to delete. An object is deleted if a pass found it unreferenced at least a day ago, no remaining
 * generation refers to it now, and neither it nor its provenance has been written within the last day. The last
 * condition protects old objects that a running federation reuses: the run rewrites their provenance, and no run takes
 * a whole day. The returned `seen` is the state for the next pass.
 */
export function unreferencedObjects(input: UnreferencedInput): {
  remove: string[];
  seen: Record<string, string>;
} {
  const { now } = input;
  const remove: string[] = [];
  const seen: Record<string, string> = {};
  for (const { key, modified } of input.objects) {
    if (input.isReferenced(key)) continue;
    const first = ownValue(input.seen, key) ?? now.toISOString();
    const longUnreferenced = now.getTime() - Date.parse(first) >= day;
    if (longUnreferenced && now.getTime() - modified.getTime() >= day) remove.push(key);
    else seen[key] = first;
  }
  return { remove, seen };
}
