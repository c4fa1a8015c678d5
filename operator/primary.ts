import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { EnterPrimarySummary } from '../activities/enter-primary';
import type { LeavePrimaryInput, LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import { isErrorCode } from '../errors/catalog';
import { FederationError, isFederationError } from '../errors/federation-error';
import { failureOf } from '../workflows/attempts';
import {
  acceptFederationUpdate,
  addOwnNameUpdate,
  enterPrimaryUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  skipWaitingUpdate,
} from '../workflows/messages';
import type { Names } from '../workflows/names';
import { keyErrorOf } from './ask-workflow';
import { promptly } from './promptly';

/** The names by which a cluster's own records are recognized. `primary names --json` prints this object. */
export interface OwnNames {
  readonly cluster: string;
  readonly ownNames: readonly string[];
}

/**
 * Access to a primary through its worker. The worker has to be running, because only it can access the cluster's
 * volume. If the cluster has no pull workflow, each method throws CLUSTER_UNKNOWN. If the worker reports an
 * error, the method throws that error.
 */
export interface Primary {
  readonly cluster: string;
  status(): Promise<PrimaryStatus>;
  /**
   * Lets a primary pull again after `leave`. Unless `withoutWaiting` is true, the cluster may first have to wait until
   * a generation contains its own windows.
   */
  enter(withoutWaiting: boolean): Promise<EnterPrimarySummary>;
  /** Allows the next pull to accept this federation even if it does not continue what was pulled before. */
  acceptFederation(federation: string): Promise<EnterPrimarySummary>;
  /**
   * Stops pulling, and restores the local ETL so that it contains only the cluster's own data. With `dryRun`, changes
   * nothing and returns what leaving would do.
   */
  leave(input?: LeavePrimaryInput): Promise<LeaveSummary>;
  /** Adds `add`, if given, to the names by which the cluster's own records are recognized. Returns all these names. */
  names(add?: string): Promise<OwnNames>;
}

/** Maximum time until a worker accepts a request, in milliseconds. Carrying it out may take longer. */
const takesWithinMs = 20_000;

/**
 * Returns access to the primary with the given cluster id. Sends no request yet. Its methods throw TEMPORAL_UNAVAILABLE
 * if no worker takes the request within `patienceMs`. (Default: 20 seconds)
 */
export function primaryOf(
  client: Client,
  { pull }: Names,
  cluster: string,
  patienceMs = takesWithinMs,
): Primary {
  const handle = client.workflow.getHandle(pull(cluster));
  const ask = async <Answer, Args extends [unknown?]>(
    update: UpdateDefinition<Answer, Args>,
    message: unknown = {},
  ): Promise<Answer> => {
    const waitForStage = 'ACCEPTED';
    try {
      const taken = await promptly(client, patienceMs, () =>
        handle.startUpdate<Answer, [unknown]>(update.name, { args: [message], waitForStage }),
      );
      return await taken.result();
    } catch (error) {
      if (isFederationError(error, 'TEMPORAL_UNAVAILABLE'))
        throw (await keyErrorOf(client, pull(cluster), patienceMs)) ?? unserved(error, cluster);
      return explain(error, cluster);
    }
  };
  return {
    cluster,
    status: () => ask(primaryStatusUpdate),
    enter: (withoutWaiting) => ask(withoutWaiting ? skipWaitingUpdate : enterPrimaryUpdate),
    acceptFederation: (federation) => ask(acceptFederationUpdate, { federation }),
    leave: (input = {}) => ask(leavePrimaryUpdate, input),
    names: async (add) => {
      if (add !== undefined) await ask(addOwnNameUpdate, { name: add });
      const { ownNames } = await ask(primaryStatusUpdate);
      return { cluster, ownNames };
    },
  };
}

function unserved(cause: FederationError, cluster: string): FederationError {
  return new FederationError('TEMPORAL_UNAVAILABLE', {
    subject: { cluster },
    detail: `The primary ${cluster} does not answer: no process serves it.`,
    hint: `Start \`federated-etl run\` on ${cluster}, then repeat the command.`,
    cause,
  });
}

/** Throws CLUSTER_UNKNOWN if the cluster has no pull workflow, and otherwise the error from the worker. */
function explain(error: unknown, cluster: string): never {
  if (error instanceof WorkflowNotFoundError) {
    throw new FederationError('CLUSTER_UNKNOWN', {
      subject: { cluster },
      detail: `No pull of ${cluster} runs in this Temporal namespace.`,
      hint: 'If it is a primary and runs, it starts its pull within minutes. If not, name another cluster with --cluster; `federated-etl status` lists the primaries.',
      cause: error,
    });
  }
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const { code, message, hint } = failureOf(error);
  throw new FederationError(isErrorCode(code) ? code : 'INTERNAL', {
    subject: { cluster },
    detail: message,
    hint,
    cause: error,
  });
}
