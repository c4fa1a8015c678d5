import type { CallsOf } from '../activities/federation-activities';
import type { MergeOutcome } from '../activities/merge-window';
import { addCalls, noCalls, type StoreCalls } from '../federation/store-calls';

/** Totals over several windows, such as the number of windows with each outcome. */
export interface MergeCounts {
  /** Number of windows that have been handled, whatever the outcome. */
  readonly windows: number;
  readonly merged: number;
  readonly reused: number;
  readonly removed: number;
  /** Number of quarantined sources. */
  readonly quarantined: number;
  /** Counts of store calls, including those that read the plan and record the outcomes. */
  readonly calls: StoreCalls;
}

export function noWindows(): MergeCounts {
  return { windows: 0, merged: 0, reused: 0, removed: 0, quarantined: 0, calls: noCalls() };
}

/** Converts the outcome of a single window to counts. */
export function countsOf(outcome: MergeOutcome & CallsOf): MergeCounts {
  return {
    windows: 1,
    merged: !outcome.reused && outcome.fingerprint !== undefined ? 1 : 0,
    reused: outcome.reused ? 1 : 0,
    removed: outcome.removed ? 1 : 0,
    quarantined: outcome.quarantined,
    calls: outcome.calls,
  };
}

/** Adds two sets of counts, field by field. */
export function addCounts(one: MergeCounts, other: Partial<MergeCounts>): MergeCounts {
  return {
    windows: one.windows + (other.windows ?? 0),
    merged: one.merged + (other.merged ?? 0),
    reused: one.reused + (other.reused ?? 0),
    removed: one.removed + (other.removed ?? 0),
    quarantined: one.quarantined + (other.quarantined ?? 0),
    calls: other.calls === undefined ? one.calls : addCalls(one.calls, other.calls),
  };
}
