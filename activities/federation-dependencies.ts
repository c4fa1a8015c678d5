import type { Log } from '../config/log';
import type { Exclusion, Scope } from '../federation/membership';
import type { Bucket } from '../storage/bucket';
import type { MergeThreads } from './threads/merge-threads';

/** Dependencies of the federator's activities; each takes the ones that it needs. */
export interface FederationDependencies {
  readonly bucket: Bucket;
  /** The cluster id of this federator. */
  readonly federator: string;
  /** The clusters and windows that the settings allow. */
  readonly scope: Scope;
  /** The roster's current exclusions. */
  exclusions(): Promise<Readonly<Record<string, Exclusion>>>;
  readonly log: Log;
  now(): Date;
  /** Reports that the activity is alive, and its progress. */
  heartbeat(details: unknown): void;
  /** The signal of the current activity, aborted when it has to end. */
  signal(): AbortSignal;
  /** Fewest generations to keep. */
  readonly generations: number;
  readonly threads: MergeThreads;
  /** Warnings about the store that every run reports, one sentence each. */
  storeWarnings(): Promise<readonly string[]>;
}
