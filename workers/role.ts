import type { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { Settings } from '../config/settings';
import type { ProbedBucket } from '../storage/conditional-create';
import type { Names } from '../workflows/names';
import type { Conditions } from './conditions';
import type { RoleMetrics } from './metrics';
import type { Need } from './needs';
import type { Releasers } from './releasers';

/** Everything that a role needs to start. */
export interface RoleContext extends ProbedBucket {
  readonly settings: Settings;
  readonly client: Client;
  readonly connection: Connection;
  readonly native: NativeConnection;
  /** Encrypts payloads if there are keys. */
  readonly dataConverter: DataConverter;
  readonly names: Names;
  readonly log: Log;
  /** Resources that are released when the process ends, before the connections to Temporal are closed. */
  readonly held: Releasers;
  /** Prometheus registry with the metrics of the process. */
  readonly registry: Registry;
  readonly metrics: RoleMetrics;
  /** Conditions of the roles of the process. */
  readonly conditions: Conditions;
}

/** A role that has been started. The caller must run its workers. */
export interface StartedRole {
  readonly workers: readonly Worker[];
  /** What the role needs in Temporal, in order of creation. Once `begin` has run, all of it exists. */
  readonly needs: readonly Need[];
  /** Starts the workflows or the schedule of the role. Called when the workers are running. */
  begin(): Promise<void>;
  /** Releases all resources of the role except the workers. */
  close(): Promise<void>;
}
