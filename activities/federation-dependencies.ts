import type { Log } from '../config/log';
import type { Exclusion, Scope } from '../federation/membership';
import type { Bucket } from '../storage/bucket';
import type { MergeThreads } from './threads/merge-threads';

/** What the federator's activities are made of. Each takes the part that it needs. */
export interface FederationDependencies {
  readonly bucket: Bucket;
  /** The cluster id of this federator. */
  readonly federator: string;
  /** What the settings say of who may be in. */
  readonly scope: Scope;
  /** What the roster says at this moment. */
  exclusions(): Promise<Readonly<Record<string, Exclusion>>>;
  readonly log: Log;
  now(): Date;
  /** Tells that the activity is alive, and how far it is. */
  heartbeat(details: unknown): void;
  /** Aborted when the activity shall end: each call asks for its own. */
  signal(): AbortSignal;
  /** Generations that are kept at least. */
  readonly generations: number;
  readonly threads: MergeThreads;
  /** What each run has to tell of the store; a sentence each. */
  storeWarnings(): Promise<readonly string[]>;
}
