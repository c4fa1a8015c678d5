import type { Log } from '../config/log';
import type { RosterRules, Scope } from '../federation/membership';
import type { ShrinkageRules } from '../federation/shrinkage';
import type { Bucket } from '../storage/bucket';
import type { MergeThreads } from './threads/merge-threads';

/** Everything that the federator's activities need. Each activity uses only part of it. */
export interface FederationDependencies {
  readonly bucket: Bucket;
  /** Id of the cluster in which this federator runs. */
  readonly federator: string;
  /** Version of this program. */
  readonly program: string;
  /** Settings that limit which clusters and windows are federated. */
  readonly scope: Scope;
  /** Reads the current exclusions from the roster workflow, with the id of the roster. */
  roster(): Promise<RosterRules>;
  readonly log: Log;
  now(): Date;
  /** Tells Temporal that the activity is alive. `details` describes its progress. */
  heartbeat(details: unknown): void;
  /** Returns the abort signal of the current activity. It is aborted when the activity has to stop. */
  signal(): AbortSignal;
  /** Minimum number of generations that the clean-up keeps. */
  readonly generations: number;
  /** Rules that decide whether a file that has become smaller is quarantined. */
  readonly shrinkage: ShrinkageRules;
  readonly threads: MergeThreads;
  /** Returns warnings about the store, one sentence each. Every run reports them. */
  storeWarnings(): Promise<readonly string[]>;
}
