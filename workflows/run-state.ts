import { setCurrentDetails } from '@temporalio/workflow';
import type { CallsOf } from '../activities/federation-activities';
import type { PlanSummary } from '../activities/plan-federation';
import { addCalls, noCalls, type StoreCalls } from '../federation/store-calls';
import type { CommitEnd } from './commit';
import { describeRun } from './describe-run';
import { addCounts, type MergeCounts, noWindows } from './merge-counts';
import type { FederationProgress, LaneProgress } from './messages';

/** The state of a run. The query `progress` returns the field of the same name. */
export interface RunState {
  progress: FederationProgress;
  plan?: PlanSummary;
  /** Set once the run has nothing more to commit. There is no `result` if there was nothing to commit at all. */
  committed?:
    | CommitEnd
    | { readonly result?: undefined; readonly unfinished: readonly string[]; readonly published?: undefined };
  /** Totals of each lane for the newest plan; windows that the run merges itself are in lane 0. */
  lanes: Map<number, MergeCounts>;
  /** Calls to the store, except those counted in `lanes`. */
  calls: StoreCalls;
}

/** Returns the state of a run that has not begun. */
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
    },
    lanes: new Map(),
    calls: noCalls(),
  };
}

/** Adds the calls that an activity made to the store. */
export function noteCalls(state: RunState, { calls }: CallsOf): void {
  state.calls = addCalls(state.calls, calls);
}

/** Handles a lane's progress signal. Ignores malformed and late ones. */
export function noteMerged(state: RunState, lane: LaneProgress | undefined): void {
  const { attempt, lane: number, counts } = lane ?? {};
  if (attempt !== state.progress.attempt || typeof number !== 'number') return;
  const known = state.lanes.get(number)?.windows ?? 0;
  if (typeof counts?.windows === 'number' && counts.windows > known) noteLane(state, number, counts);
}

/** Replaces the counts of a lane, and shows the new totals of the run. */
export function noteLane(state: RunState, lane: number, soFar: MergeCounts): void {
  state.lanes.set(lane, soFar);
  const { windows, quarantined } = totalsOf(state);
  show(state, { merged: windows, quarantined });
}

/** Adds up the counts of all lanes. */
export function totalsOf({ lanes }: RunState): MergeCounts {
  return [...lanes.values()].reduce(addCounts, noWindows());
}

/** Changes the progress of the run, and updates its current details in the Temporal UI. */
export function show(state: RunState, change: Partial<FederationProgress>): void {
  state.progress = { ...state.progress, ...change };
  setCurrentDetails(describeRun(state.progress));
}
