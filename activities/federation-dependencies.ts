import type { Log } from '../config/log';
import type { Exclusion, Scope } from '../federation/membership';
import type { Bucket } from '../storage/bucket';
import type { MergeThreads } from './threads/merge-threads';

/** Dependencies of the federator's activities. Each activity picks those that it needs. */
export interface FederationDependencies {
  readonly bucket: Bucket;
  /** Cluster id of this federator. */
  readonly federator: string;
  /** Clusters and windows that the settings allow. */
  readonly scope: Scope;
  /** Reads the roster's current exclusions, by cluster id. */
  exclusions(): Promise<Readonly<Record<string, Exclusion>>>;
  readonly log: Log;
  now(): Date;
  /** Reports to Temporal that the activity is alive, and its progress. */
  heartbeat(details: unknown): void;
  /** Returns the signal of the current activity, which is aborted when the activity has to end. */
  signal(): AbortSignal;
  /** Minimum number of generations to keep. */
  readonly generations: number;
  readonly threads: MergeThreads;
  /** Returns the warnings about the store that every run reports, one sentence each. */
  storeWarnings(): Promise<readonly string[]>;
}
