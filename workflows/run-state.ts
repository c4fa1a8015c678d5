import { setCurrentDetails } from '@temporalio/workflow';
import type { CallsOf } from '../activities/federation-activities';
import type { PlanSummary } from '../activities/plan-federation';
import { addCalls, noCalls, type StoreCalls } from '../federation/store-calls';
import type { CommitEnd } from './commit';
import { describeRun } from './describe-run';
import { addCounts, type MergeCounts, noWindows } from './merge-counts';
import type { FederationProgress, LaneProgress } from './messages';

/** The state of a federation run. The query `progress` returns the field `progress`. */
export interface RunState {
  progress: FederationProgress;
  plan?: PlanSummary;
  /** Set when the run needs no further attempt. `result` is undefined if there was nothing to commit. */
  committed?:
    | CommitEnd
    | { readonly result?: undefined; readonly unfinished: readonly string[]; readonly published?: undefined };
  /**
   * Merge counts of each lane (child workflow) for the newest plan, by lane number. Windows that are merged without a
   * child workflow are counted in lane 0.
   */
  lanes: Map<number, MergeCounts>;
  /** Counts of store calls, except those included in `lanes`. */
  calls: StoreCalls;
}

/** Returns the initial state of a run. */
export function newState(run: string): RunState {
  return {
    progress: {
      run,
      phase: 'waiting for an earlier run',
      attempt: 0,
      base: 0,
      clusters: 0,
      excluded: [],
      windows: 0,
      planned: 0,
      merged: 0,
      quarantined: 0,
      shrunk: 0,
    },
    lanes: new Map(),
    calls: noCalls(),
  };
}

/** Adds the store calls of an activity to those of the run. */
export function noteCalls(state: RunState, { calls }: CallsOf): void {
  state.calls = addCalls(state.calls, calls);
}

/** Handles a progress signal from a lane (child workflow). Ignores the signal if it is malformed or outdated. */
export function noteMerged(state: RunState, lane: LaneProgress | null): void {
  const { attempt, lane: number, counts } = lane ?? {};
  if (attempt !== state.progress.attempt || typeof number !== 'number') return;
  const known = state.lanes.get(number)?.windows ?? 0;
  if (typeof counts?.windows === 'number' && counts.windows > known) noteLane(state, number, counts);
}

/** Replaces the counts of a lane, and updates the progress of the run. */
export function noteLane(state: RunState, lane: number, soFar: MergeCounts): void {
  state.lanes.set(lane, soFar);
  const { windows, quarantined } = totalsOf(state);
  show(state, { merged: windows, quarantined });
}

/** Returns the sum of the counts of all lanes. */
export function totalsOf({ lanes }: RunState): MergeCounts {
  return [...lanes.values()].reduce(addCounts, noWindows());
}

/** Updates the progress of the run, including the current details shown in the Temporal UI. */
export function show(state: RunState, change: Partial<FederationProgress>): void {
  state.progress = { ...state.progress, ...change };
  setCurrentDetails(describeRun(state.progress));
}
