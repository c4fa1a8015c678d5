import type { EarlierRoster } from '../federation/earlier-roster';
import type { StoreCalls } from '../federation/store-calls';
import { countCalls } from '../storage/count-calls';
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

/** An activity whose result also contains the number of store calls of its last attempt, by operation. */
type Counted<Activity> = Activity extends (...args: infer Args) => Promise<infer Result>
  ? (
      ...args: Args
    ) => Promise<Result extends object ? Result & CallsOf : Result extends void ? CallsOf : never>
  : never;
export interface CallsOf {
  readonly calls: StoreCalls;
}

/** Activities that return an object or nothing. Other results, such as numbers, have no room for call counts. */
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

/**
 * Creates the activities of federations and the roster, except merging. They run on the `federation` queue and need
 * little CPU.
 */
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
    // The store calls of this activity are not counted: the report that it writes already contains the counts.
    writeReport: createWriteReport(deps),
    // The store calls of this activity are not counted: it is called by the roster workflow, not by a run.
    readExclusions: createReadExclusions(deps),
  };
}

/**
 * All activities of the `federation` queue. Those declared below need a Temporal client, so the worker implements them.
 */
export interface FederationActivities extends ReturnType<typeof createFederationActivities> {
  /**
   * Waits until all federation runs that started before `run` have ended, for at most half an hour. Then writes the
   * reports that these runs could not write themselves.
   */
  awaitEarlierRuns(input: { run: string; runId: string }): Promise<{ waitedFor: string[] }>;
  /** Queries a roster that has ended. This works as long as Temporal keeps the roster's history. */
  readEarlierRoster(input: { runId: string }): Promise<EarlierRoster>;
  /** Signals every primary in the roster to pull. */
  notifyPrimaries(): Promise<{ notified: number }>;
}

/** Creates the activities of the `federation-merge` queue. Each of them needs a CPU core. */
export function createMergeActivities(
  deps: FederationDependencies & Pick<MergeDependencies, 'mergeMemory' | 'mostUnpacked'>,
): MergeActivities {
  return counted({ mergeWindow: createMergeWindow(deps) });
}

export interface MergeActivities {
  readonly mergeWindow: Counted<MergeWindow>;
}
