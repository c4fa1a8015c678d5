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

/** The names that a cluster's own records carry; `primary names --json` prints exactly this. */
export interface OwnNames {
  readonly cluster: string;
  readonly ownNames: readonly string[];
}

/**
 * A primary cluster. Its own worker does everything, where its volume is, so it has to run. Each method throws
 * CLUSTER_UNKNOWN if the cluster was never started as a primary, else the error of the worker.
 */
export interface Primary {
  readonly cluster: string;
  status(): Promise<PrimaryStatus>;
  /** Lets a cluster that left pull again; `withoutWaiting`: even if no generation has its own windows yet. */
  enter(withoutWaiting: boolean): Promise<EnterPrimarySummary>;
  /** Stops pulling and makes the local ETL the cluster's own again. */
  leave(): Promise<LeaveSummary>;
  /** The own names, after adding one if it is given. */
  names(add?: string): Promise<OwnNames>;
}

/** The primary of a cluster id. Asks nothing yet. */
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

/** Throws the error that the worker failed with. */
function explain(error: unknown, cluster: string): never {
  if (error instanceof WorkflowNotFoundError) {
    throw new FederationError('CLUSTER_UNKNOWN', {
      subject: { cluster },
      detail: `${cluster} was never started as a primary.`,
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
