import type { CleanUpResult } from '../../activities/clean-up';
import type { ClusterActivities } from '../../activities/cluster-activities';
import type { CommittedGeneration } from '../../activities/commit-generation';
import type { ShardDescription } from '../../activities/describe-shard';
import type { CallsOf, FederationActivities, MergeActivities } from '../../activities/federation-activities';
import type { MergeOutcome } from '../../activities/merge-window';
import type { PlanSummary } from '../../activities/plan-federation';
import type { PullSummary } from '../../activities/pull-summary';
import type { PushSummary } from '../../activities/push-local-etl';
import { type WindowId, windowId } from '../../etl/window';
import { noCalls, type StoreCalls } from '../../federation/store-calls';

/** All activities that workflows call. */
export type Activities = FederationActivities & MergeActivities & ClusterActivities;

/** Result of an activity's test double. It may omit the number of store calls: `asCounted` then adds zeros. */
type Uncounted<Result> = Result extends CallsOf
  ? keyof Result extends 'calls'
    ? Partial<CallsOf> | void
    : Omit<Result, 'calls'> & Partial<CallsOf>
  : Result;
type AllDoubles = {
  [Name in keyof Activities]: Activities[Name] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Promise<Uncounted<Result>>
    : never;
};
/** Test doubles that replace some of the activities. */
export type Doubles = Partial<AllDoubles>;

/** Activities that return the number of their store calls. */
const counted: ReadonlySet<keyof Activities> = new Set([
  'recordRequest',
  'planFederation',
  'describeShard',
  'mergeWindow',
  'recordShard',
  'commitGeneration',
  'publishGeneration',
  'cleanUp',
]);

/**
 * Returns activities that call the current test doubles. Activities in `counted` must return the number of their store
 * calls. If a double omits this number, zeros are added.
 */
export function asCounted(
  doubles: () => AllDoubles,
  onCall: (name: keyof Activities, input: unknown) => void = () => undefined,
): Activities {
  const delegate = (name: keyof Activities) => async (input: unknown) => {
    onCall(name, input);
    const double = doubles()[name] as (input: unknown) => Promise<object | null | undefined>;
    const result = await double(input);
    // Leave null as it is: a double returns null to test an invalid result.
    return counted.has(name) && result !== null ? { calls: noCalls(), ...result } : result;
  };
  const names = Object.keys(doubles()) as (keyof Activities)[];
  return Object.fromEntries(names.map((name) => [name, delegate(name)])) as unknown as Activities;
}

/** Returns the summary of a plan. `windowsByShard` contains the number of windows of each shard. */
export function planOf(windowsByShard: readonly number[], changes: Partial<PlanSummary> = {}): PlanSummary {
  const planned = windowsByShard.reduce((sum, windows) => sum + windows, 0);
  return {
    outcome: planned > 0 ? 'work' : 'nothing-changed',
    attempt: 1,
    base: 0,
    clusters: { count: 5, ids: ['c1', 'c2', 'c3', 'c4', 'c5'] },
    excluded: { count: 0, ids: [] },
    windows: planned,
    planned,
    carried: 0,
    duplicates: 0,
    shards: windowsByShard.length,
    ...changes,
  };
}

/** Returns the outcome of a successful merge of a window. */
export function mergedWindow(index: number, changes: Partial<MergeOutcome> = {}): MergeOutcome {
  return {
    index,
    window: windowOf(index),
    fingerprint: `fingerprint-${index}`,
    digest: `digest-${index}`,
    size: 1000,
    clusters: 5,
    changed: 5,
    quarantined: 0,
    listed: false,
    reused: false,
    removed: false,
    ...changes,
  };
}

/** Returns the description of a shard that has the given number of windows. */
export function describedShard(windows: number, shard = 0): ShardDescription {
  return {
    windows: Array.from({ length: windows }, (_, index) => ({
      index,
      window: windowOf(index),
      label: `allocations 1d shard ${shard + 1}, window ${index + 1} · 5 clusters`,
    })),
  };
}

function windowOf(index: number): WindowId {
  const start = 1794614400 + index * 86_400;
  return windowId({ pipeline: 'allocations', resolution: '1d', window: { start, end: start + 86_400 } });
}

/** Returns the result of a successful commit. */
export function committed(changes: Partial<CommittedGeneration> = {}): CommittedGeneration {
  return {
    status: 'committed',
    federation: 'f-1',
    generation: 1,
    run: 'run-1',
    windows: 2,
    clusters: 5,
    removed: 0,
    exclusions: [],
    quarantined: 0,
    degraded: [],
    onHold: false,
    shrunk: 0,
    nameConflicts: [],
    ...changes,
  };
}

/** Result of a clean-up that found nothing to do. */
export const cleanedUp: CleanUpResult = { generations: 0, objects: 0, kept: 0, runs: 0, waiting: 0 };

/** Returns a complete record of store calls, with zero for every kind of call that is not given. */
export function callsOf(some: Partial<StoreCalls>): StoreCalls {
  return { ...noCalls(), ...some };
}

const none = { count: 0, examples: [] };
/** Result of a push that found one new file. */
export const pushed: PushSummary = {
  files: 1,
  uploaded: 1,
  bytes: 1000,
  shrunk: none,
  unchanged: 0,
  pulled: 0,
  vanished: 0,
  incomplete: none,
  refused: none,
  unreadable: none,
  links: none,
};
/** Result of a pull that pulled generation 1. */
export const pulled: PullSummary = {
  state: 'pulled',
  generation: 1,
  replaced: 1,
  removed: 0,
  unchanged: 0,
  pushedFirst: 0,
  postponed: none,
  unreadable: none,
  links: none,
  salvaged: none,
};

/**
 * Returns doubles of all activities. All of them succeed: they plan one shard of two windows, merge it, and commit it
 * as generation 1. No cluster is excluded.
 */
export function allGoesWell(): AllDoubles {
  return {
    recordRequest: async () => undefined,
    awaitEarlierRuns: async () => ({ waitedFor: [] }),
    planFederation: async ({ attempt }) => planOf([2], { attempt }),
    describeShard: async ({ shard }) => describedShard(2, shard),
    mergeWindow: async ({ index }) => mergedWindow(index),
    recordShard: async () => undefined,
    commitGeneration: async () => committed(),
    publishGeneration: async () => ({ generation: 1, copied: 2, deleted: 0, unchanged: 0 }),
    notifyPrimaries: async () => ({ notified: 0 }),
    cleanUp: async () => cleanedUp,
    writeReport: async () => undefined,
    readExclusions: async () => ({ exclusions: {} }),
    readEarlierRoster: () => Promise.reject(new Error('no test expects this call')),
    pushLocalEtl: async () => pushed,
    pullCombined: async () => pulled,
    leavePrimary: async () => ({ fromFolder: 1, fromBackup: 0, own: 0, restored: none, removed: none }),
    enterPrimary: async () => ({ entered: true }),
    addOwnName: async () => undefined,
    ingestCombined: () => Promise.resolve({ files: 0, ingested: 0, rows: 0 }),
    exportCombined: async () => ({ generation: 1, windows: 1, written: 1, unchanged: 0, removed: 0 }),
    primaryStatus: async () => ({ state: 'pulling', ownNames: [], refused: none }),
  };
}
