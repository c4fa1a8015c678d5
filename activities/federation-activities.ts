import { createCleanUp } from './clean-up';
import { createCommitGeneration } from './commit-generation';
import { createDescribeShard } from './describe-shard';
import type { FederationDependencies } from './federation-dependencies';
import { createMergeWindow, type MergeWindow } from './merge-window';
import { createPlanFederation } from './plan-federation';
import { createPublishGeneration } from './publish-generation';
import { createReadExclusions } from './read-exclusions';
import { createRecordRequest } from './record-request';
import { createRecordShard } from './record-shard';
import { createWriteReport } from './write-report';

/** What a federation, its commit and the roster do, besides merging: light work on the `federation` queue. */
export function createFederationActivities(deps: FederationDependencies) {
  return {
    recordRequest: createRecordRequest(deps),
    planFederation: createPlanFederation(deps),
    describeShard: createDescribeShard(deps),
    recordShard: createRecordShard(deps),
    commitGeneration: createCommitGeneration(deps),
    publishGeneration: createPublishGeneration(deps),
    cleanUp: createCleanUp(deps),
    writeReport: createWriteReport(deps),
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
export function createMergeActivities(deps: FederationDependencies): MergeActivities {
  return { mergeWindow: createMergeWindow(deps) };
}

export interface MergeActivities {
  readonly mergeWindow: MergeWindow;
}
