import { z } from 'zod';
import type { Measure } from '../etl/measure';
import { clusterIdSchema, seenSchema, windowIdSchema } from './ids';
import { hasLost, largerOf, measureSchema } from './measure';

/** Rules by which the merge judges files that have become smaller. */
export const shrinkageRulesSchema = z.object({
  /** How long after its end a window counts as closed, in seconds. Agents still complete younger windows. */
  closedAfter: z.number().nonnegative(),
  /** The fraction of its records, or of any kind of resource hours, that a file may lose. */
  shrinkage: z.number().min(0).max(1),
});
export type ShrinkageRules = z.infer<typeof shrinkageRulesSchema>;

/**
 * A source that has become smaller and is merged nevertheless. A generation lists it for as long as it merges this
 * version of the file.
 */
export const shrunkSourceSchema = z.object({
  cluster: clusterIdSchema,
  window: windowIdSchema,
  /** Version of the file that is merged. */
  seen: seenSchema,
  /** What the cluster's file was compared with: the most that has been taken of each number. */
  largest: measureSchema,
  now: measureSchema,
  /**
   * True if the window was closed when the file was taken. It then lost less than would quarantine it, and is listed
   * only to remember `largest`, so that a file cannot shrink step by step. False if the window was young: the file lost
   * so much that a person should know.
   */
  closed: z.boolean(),
});
export type ShrunkSource = z.infer<typeof shrunkSourceSchema>;

/** Files with fewer records are never judged: in a small cluster, a few records make up half. */
const fewest = 20;
/** Smaller differences in a sum of hours are rounding errors. */
const noise = 1e-9;

export interface Judged {
  /** End of the window, and the time of the plan, in unix seconds. */
  readonly end: number;
  readonly now: number;
  readonly rules: ShrinkageRules;
  readonly measure: Measure;
  /** The cluster's contribution that the base generation has; undefined if there is none. */
  readonly standing: Measure | undefined;
  /** The entry of the contribution in the base generation, if it was shrunk when it was taken. */
  readonly remembered: Pick<ShrunkSource, 'largest' | 'closed'> | undefined;
}

/**
 * - `ok`: the file is not smaller.
 * - `emptied`: the file has no records, but had `records` before. This quarantines it.
 * - `smaller`: the window is closed and the file is smaller, but not by much. What it was must be remembered.
 * - `shrunk`: the file has lost more than the rules allow. In a closed window, this quarantines it.
 */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'emptied'; readonly records: number }
  | { readonly kind: 'smaller' | 'shrunk'; readonly largest: Measure; readonly closed: boolean };

/**
 * Judges a version of a cluster's file that was not merged before. Compares it with the largest contribution that was
 * taken since the window was closed, or since a person last accepted one. In a window that has just closed, this is the
 * contribution that stands. Does not compare costs, because they change when prices are reconciled.
 */
export function judge({ end, now, rules, measure, standing, remembered }: Judged): Verdict {
  if (standing === undefined) return { kind: 'ok' };
  if (standing.records > 0 && measure.records === 0) return { kind: 'emptied', records: standing.records };
  const closed = now - end > rules.closedAfter;
  const counts = remembered !== undefined && (remembered.closed || !closed);
  const largest = largerOf(standing, counts ? remembered.largest : undefined);
  if (largest.records >= fewest && hasLost(largest, measure, rules.shrinkage))
    return { kind: 'shrunk', largest, closed };
  return closed && hasLost(largest, measure, noise) ? { kind: 'smaller', largest, closed } : { kind: 'ok' };
}
