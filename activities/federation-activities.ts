import { countCalls } from '../storage/count-calls';
import type { StoreCalls } from '../federation/store-calls';
import { createCleanUp } from './clean-up';
import { createCommitGeneration } from './commit-generation';
import { createDescribeShard } from './describe-shard';
import type { FederationDependencies } from './federation-dependencies';
import { createMergeWindow, type MergeDependencies, type MergeWindow } from './merge-window';
import { createPlanFederation } from './plan-federation';
import { createPublishGeneration } from './publish-generation';
import { createReadExclusions } from './read-exclusions';
import { createRecordRequest } from './record-request';
import { createRecordShard } from './record-shard';
import { createWriteReport } from './write-report';

/** An activity whose result includes the store calls of its last attempt. */
type Counted<Activity> = Activity extends (...args: infer Args) => Promise<infer Result>
  ? (
      ...args: Args
    ) => Promise<Result extends object ? Result & CallsOf : Result extends void ? CallsOf : never>
  : never;
export interface CallsOf {
  readonly calls: StoreCalls;
}

/** Activities with results that are objects, or that have none. */
type Countable = Record<string, (...args: never[]) => Promise<object | void>>;

function counted<Activities extends Countable>(
  activities: Activities,
): { [Name in keyof Activities]: Counted<Activities[Name]> } {
  const entries = Object.entries(activities).map(([name, work]) => [
    name,
    async (...args: never[]) => {
      const { result, calls } = await countCalls(() => work(...args));
      return { ...result, calls };
    },
  ]);
  return Object.fromEntries(entries) as { [Name in keyof Activities]: Counted<Activities[Name]> };
}

/** What a federation, its commit and the roster do, besides merging: light work on the `federation` queue. */
export function createFederationActivities(deps: FederationDependencies) {
  return {
    ...counted({
      recordRequest: createRecordRequest(deps),
      planFederation: createPlanFederation(deps),
      describeShard: createDescribeShard(deps),
      recordShard: createRecordShard(deps),
      commitGeneration: createCommitGeneration(deps),
      publishGeneration: createPublishGeneration(deps),
      cleanUp: createCleanUp(deps),
    }),
    // After the last count of a run.
    writeReport: createWriteReport(deps),
    // The roster's, which belongs to no run.
    readExclusions: createReadExclusions(deps),
  };
}

/** With what only a worker can do, as it takes a Temporal client. */
export interface FederationActivities extends ReturnType<typeof createFederationActivities> {
  /** Ends when no federation that began earlier is running any more. */
  awaitEarlierRuns(input: { run: string; runId: string }): Promise<{ waitedFor: string[] }>;
  /** Signals the primaries that the roster knows to pull. */
  tellPrimaries(): Promise<{ told: number }>;
}

/** What takes a core: on the `federation-merge` queue. */
export function createMergeActivities(
  deps: FederationDependencies & Pick<MergeDependencies, 'mergeMemory'>,
): MergeActivities {
  return counted({ mergeWindow: createMergeWindow(deps) });
}

export interface MergeActivities {
  readonly mergeWindow: Counted<MergeWindow>;
}
