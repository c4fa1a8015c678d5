import type { Client, Connection } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings';
import type { Log } from '../config/log';
import type { ProbedBucket } from '../storage/conditional-create';
import type { Names } from '../workflows/names';
import type { RoleMetrics } from './metrics';
import type { Releasers } from './releasers';

/** What every role of a cluster is started with. */
export interface RoleContext extends ProbedBucket {
  readonly settings: Settings;
  readonly client: Client;
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly names: Names;
  readonly log: Log;
  /** What is released when the process ends, before the connections are. */
  readonly held: Releasers;
  /** Holds the metrics of the process. */
  readonly registry: Registry;
  readonly metrics: RoleMetrics;
}

/** A role that is ready: its workers still have to be run. */
export interface StartedRole {
  readonly workers: readonly Worker[];
  /** What it does once its workers run, such as starting its workflows. */
  begin(): Promise<void>;
  /** Why it can answer no query, where that is its work; undefined once it can. */
  unserved?(): string | undefined;
  /** Ends what it holds besides its workers. */
  close(): Promise<void>;
}
