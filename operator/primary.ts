import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import { isErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';
import { failureOf } from '../workflows/attempts';
import {
  addOwnNameUpdate,
  enterPrimaryUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  skipWaitingUpdate,
} from '../workflows/messages';
import type { Names } from '../workflows/names';

/** The cluster names that a cluster's own records contain. `primary names --json` prints exactly this. */
export interface OwnNames {
  readonly cluster: string;
  readonly ownNames: readonly string[];
}

/**
 * Access to a primary cluster. All work is done by the primary's worker, which has access to the volume, so the worker
 * has to be running. Each method throws CLUSTER_UNKNOWN if the cluster has never run as a primary, otherwise the error
 * of the worker.
 */
export interface Primary {
  readonly cluster: string;
  status(): Promise<PrimaryStatus>;
  /**
   * Lets a cluster pull again after it has left. With `withoutWaiting`, it does so even if no generation contains the
   * cluster's own windows yet.
   */
  enter(withoutWaiting: boolean): Promise<EnterPrimarySummary>;
  /** Stops pulling, and makes the local ETL contain only the cluster's own data again. */
  leave(): Promise<LeaveSummary>;
  /** Adds the name `add`, if given, to the cluster's own names. Returns all of them. */
  names(add?: string): Promise<OwnNames>;
}

/** Returns access to the primary with the given cluster id. Sends no request yet. */
export function primaryOf(client: Client, { pull }: Names, cluster: string): Primary {
  const handle = client.workflow.getHandle(pull(cluster));
  const ask = <Answer, Args extends [unknown?]>(
    update: UpdateDefinition<Answer, Args>,
    message: unknown = {},
  ): Promise<Answer> =>
    handle
      .executeUpdate<Answer, [unknown]>(update.name, { args: [message] })
      .catch((error: unknown) => explain(error, cluster));
  return {
    cluster,
    status: () => ask(primaryStatusUpdate),
    enter: (withoutWaiting) => ask(withoutWaiting ? skipWaitingUpdate : enterPrimaryUpdate),
    leave: () => ask(leavePrimaryUpdate),
    names: async (add) => {
      if (add !== undefined) await ask(addOwnNameUpdate, { name: add });
      const { ownNames } = await ask(primaryStatusUpdate);
      return { cluster, ownNames };
    },
  };
}

/** Throws the worker's error, or CLUSTER_UNKNOWN if the cluster has never run as a primary. */
function explain(error: unknown, cluster: string): never {
  if (error instanceof WorkflowNotFoundError) {
    throw new FederationError('CLUSTER_UNKNOWN', {
      subject: { cluster },
      detail: `${cluster} has never run as a primary.`,
      hint: 'Name another cluster with --cluster; `federated-etl status` lists the primaries.',
      cause: error,
    });
  }
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const { code, message } = failureOf(error);
  throw new FederationError(isErrorCode(code) ? code : 'INTERNAL', {
    subject: { cluster },
    detail: message,
    cause: error,
  });
}
