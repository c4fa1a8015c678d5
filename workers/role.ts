import type { Client, Connection } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import type { ProbedBucket } from '../storage/conditional-create';
import type { Names } from '../workflows/names';
import type { RoleMetrics } from './metrics';
import type { Releasers } from './releasers';

/** What every role of a cluster needs to start. */
export interface RoleContext extends ProbedBucket {
  readonly settings: Settings;
  readonly client: Client;
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly names: Names;
  readonly log: Log;
  /** Resources to release when the process ends, before the connections are closed. */
  readonly held: Releasers;
  /** Registry of the process's metrics. */
  readonly registry: Registry;
  readonly metrics: RoleMetrics;
}

/** A started role. Its workers still have to be run. */
export interface StartedRole {
  readonly workers: readonly Worker[];
  /** Starts workflows, schedules and the like. Called once the workers run. */
  begin(): Promise<void>;
  /** For a role that answers queries: returns why it cannot answer them yet, or undefined once it can. */
  unserved?(): string | undefined;
  /** Releases everything except the workers. */
  close(): Promise<void>;
}
