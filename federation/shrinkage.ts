import { z } from 'zod';
import type { Measure } from '../etl/measure';
import { clusterIdSchema, seenSchema, windowIdSchema } from './ids';
import { hasLost, largerOf, measureSchema } from './measure';

/** Rules by which the merge judges files that have become smaller. */
export const shrinkageRulesSchema = z.object({
  /**
   * A window counts as closed once this many seconds have passed since its end. In younger windows, agents may still be
   * adding data.
   */
  closedAfter: z.number().nonnegative(),
  /** The largest fraction of a file's records, or of its hours of any one resource, that the file may lose. */
  shrinkage: z.number().min(0).max(1),
});
export type ShrinkageRules = z.infer<typeof shrinkageRulesSchema>;

/**
 * A source that has become smaller and is merged nevertheless. A generation lists the source for as long as this
 * version of its file is merged.
 */
export const shrunkSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** Version of the file that is merged. */
  seen: seenSchema,
  /**
   * The measure that the file was compared with: for each number, the largest value in earlier contributions. The
   * comment of `judge` says which earlier contributions count.
   */
  largest: measureSchema,
  now: measureSchema,
  /**
   * True if the window was already closed when the file was merged. In that case, the loss was too small for a
   * quarantine, and the source is listed only to remember `largest`, so that a file cannot shrink step by step
   * unnoticed. False if the window was still young: then the file lost so much that a person should know.
   */
  closed: z.boolean(),
});
export type ShrunkSource = z.infer<typeof shrunkSourceSchema>;

/** Returns whether a shrunk source has lost so much that a person should know. */
export function isNamed({ closed }: Pick<ShrunkSource, 'closed'>): boolean {
  return !closed;
}

/** Files that never had this many records are not judged: if a file has few records, losing some of them is normal. */
const fewest = 20;
/** Largest relative difference in a sum of hours that counts as a rounding error. */
const noise = 1e-9;

export interface Judged {
  /** End of the window, in unix seconds. `now` is the time of the plan, also in unix seconds. */
  readonly end: number;
  readonly now: number;
  readonly rules: ShrinkageRules;
  readonly measure: Measure;
  /** The cluster's contribution in the base generation; undefined if there is none. */
  readonly standing: Measure | undefined;
  /** The cluster's entry in the base generation's list of shrunk sources; undefined if there is none. */
  readonly remembered: Pick<ShrunkSource, 'largest' | 'closed'> | undefined;
}

/**
 * Returns whether a file has lost more than the fraction `share` of its records, or of its hours of any one resource.
 * Files that had only a few records are not judged.
 */
function hasShrunk(before: Measure, now: Measure, share: number): boolean {
  return before.records >= fewest && hasLost(before, now, share);
}

/**
 * Returns whether a file with the measure `now` has lost so much that it would be quarantined, or listed as shrunk if
 * its window is young. `before` is the measure of the version that was merged last.
 */
export function looksWrong(before: Measure, now: Measure, share: number): boolean {
  return (before.records > 0 && now.records === 0) || hasShrunk(before, now, share);
}

/**
 * - `ok`: the file is not smaller.
 * - `emptied`: the file has no records, but its previous version had some (`records` is their number). The source is
 *   quarantined.
 * - `smaller`: the window is closed, and the file has become smaller, but not by much. The earlier size must be
 *   remembered.
 * - `shrunk`: the file has lost more than the rules allow. If the window is closed, the source is quarantined.
 */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'emptied'; readonly records: number }
  | { readonly kind: 'smaller' | 'shrunk'; readonly largest: Measure; readonly closed: boolean };

/**
 * Judges a new version of a cluster's file: compares it with the largest earlier contribution of the cluster to the
 * window. If the window is closed, contributions from before it was closed do not count, except the current one
 * (`standing`). If a person accepts a smaller file, the earlier, larger contributions no longer count. Costs are not
 * compared, because they change when prices are reconciled.
 */
export function judge({ end, now, rules, measure, standing, remembered }: Judged): Verdict {
  if (standing === undefined) return { kind: 'ok' };
  if (standing.records > 0 && measure.records === 0) return { kind: 'emptied', records: standing.records };
  const closed = now - end > rules.closedAfter;
  const counts = remembered !== undefined && (remembered.closed || !closed);
  const largest = largerOf(standing, counts ? remembered.largest : undefined);
  if (hasShrunk(largest, measure, rules.shrinkage)) return { kind: 'shrunk', largest, closed };
  return closed && hasLost(largest, measure, noise) ? { kind: 'smaller', largest, closed } : { kind: 'ok' };
}
