import type { Client, Connection } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import type { ProbedBucket } from '../storage/conditional-create';
import type { Names } from '../workflows/names';
import type { RoleMetrics } from './metrics';
import type { Releasers } from './releasers';

/** The context in which every role of a cluster is started. */
export interface RoleContext extends ProbedBucket {
  readonly settings: Settings;
  readonly client: Client;
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly names: Names;
  readonly log: Log;
  /** Resources released when the process ends, before the connections. */
  readonly held: Releasers;
  /** Holds the metrics of the process. */
  readonly registry: Registry;
  readonly metrics: RoleMetrics;
}

/** A started role, whose workers still have to be run. */
export interface StartedRole {
  readonly workers: readonly Worker[];
  /** Called once the workers run, to start workflows and the like. */
  begin(): Promise<void>;
  /** For a role that answers queries: why it cannot yet; undefined once it can. */
  unserved?(): string | undefined;
  /** Releases everything but the workers. */
  close(): Promise<void>;
}
