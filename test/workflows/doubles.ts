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

/** Result of an activity's double. It may omit the store calls, which `asCounted` then sets to zero. */
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
/** Doubles for some of the activities. */
export type Doubles = Partial<AllDoubles>;

/** Activities whose results include the number of their store calls. */
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
 * Returns activities that call the current doubles. If an activity's result should include store calls but the double
 * omits them, they are set to zero.
 */
export function asCounted(
  doubles: () => AllDoubles,
  onCall: (name: keyof Activities, input: unknown) => void = () => undefined,
): Activities {
  const delegate = (name: keyof Activities) => async (input: unknown) => {
    onCall(name, input);
    const double = doubles()[name] as (input: unknown) => Promise<object | null | undefined>;
    const result = await double(input);
    // Do not add calls to null: a double returns null to test invalid results.
    return counted.has(name) && result !== null ? { calls: noCalls(), ...result } : result;
  };
  const names = Object.keys(doubles()) as (keyof Activities)[];
  return Object.fromEntries(names.map((name) => [name, delegate(name)])) as unknown as Activities;
}

/** Returns a plan with one shard for each entry of the list. The entry is the shard's number of windows. */
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

/** Returns the outcome of a window that was merged. */
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
    reused: false,
    removed: false,
    ...changes,
  };
}

/** Returns the description of a shard that has this many windows. */
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
    generation: 1,
    windows: 2,
    clusters: 5,
    removed: 0,
    exclusions: [],
    quarantined: 0,
    degraded: [],
    ...changes,
  };
}

/** Result of a clean-up that found nothing to do. */
export const cleanedUp: CleanUpResult = { generations: 0, objects: 0, kept: 0, runs: 0, waiting: 0 };

/** Returns the given numbers of store calls, and zero for the verbs that are not given. */
export function callsOf(some: Partial<StoreCalls>): StoreCalls {
  return { ...noCalls(), ...some };
}

const none = { count: 0, examples: [] };
/** Result of a push that found one new file. */
export const pushed: PushSummary = {
  files: 1,
  uploaded: 1,
  bytes: 1000,
  unchanged: 0,
  pulled: 0,
  incomplete: none,
  refused: none,
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
  salvaged: none,
};

/**
 * Returns doubles of all activities, none of which fails: a shard of two windows is merged and committed as generation
 * 1, and no cluster is excluded.
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
    readExclusions: async () => ({}),
    pushLocalEtl: async () => pushed,
    pullCombined: async () => pulled,
    leavePrimary: async () => ({ fromFolder: 1, fromBackup: 0, own: 0, removed: none }),
    enterPrimary: async () => ({ entered: true }),
    addOwnName: async () => undefined,
    ingestCombined: () => Promise.resolve({ files: 0, ingested: 0, rows: 0 }),
    primaryStatus: async () => ({ state: 'pulling', ownNames: [], refused: none }),
  };
}
