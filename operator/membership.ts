import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { readNewestGeneration } from '../activities/read-generations';
import { discoverClusters } from '../activities/survey-clusters';
import { FederationError, isFederationError } from '../errors/federation-error';
import {
  type ClusterMessage,
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  type RosterAnswer,
} from '../workflows/messages';
import { names } from '../workflows/names';
import type { Operator } from './operator';

export type MembershipChange = 'exclude' | 'include';

/**
 * Excludes or includes a cluster. The answer says whether the change already applies to the run in progress.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster; TEMPORAL_UNAVAILABLE if there is no roster
 */
export async function changeMembership(
  operator: Operator,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<RosterAnswer> {
  await requireKnown(operator, message.cluster);
  const { client } = await operator.temporal();
  // Change the roster first. The next run reads it, even if the run in progress does not accept the change.
  await client.workflow
    .getHandle(operator.names.roster)
    .signal(kind === 'exclude' ? excludeCluster : includeCluster, message)
    .catch(noRoster);
  const answer = await changeRunInProgress(client, operator.settings.temporal.idPrefix, kind, message);
  return answer ?? { cluster: message.cluster, from: 'in the next' };
}

/**
 * Describes a change of membership in one sentence. It also says that the change is lost if Temporal loses its data
 * before the commit, because a new roster knows only what the newest generation says.
 */
export function describeChange(kind: MembershipChange, { cluster, from }: RosterAnswer): string {
  const [when, commits] =
    from === 'in this run'
      ? ['in the run in progress', 'that run commits']
      : ['from the next federation on', 'that federation commits'];
  return `${cluster} is ${kind}d ${when}; until ${commits}, only Temporal knows this.`;
}

/**
 * Throws CLUSTER_UNKNOWN if there is no such cluster. Without this check, excluding a mistyped id would seem to
 * succeed.
 */
async function requireKnown(operator: Operator, cluster: string): Promise<void> {
  const bucket = await operator.bucket();
  // If access to the clusters' folders is denied, only the clusters of the newest generation are known.
  const found: readonly string[] = await discoverClusters(bucket, {}).catch((error: unknown) => {
    if (isFederationError(error, 'STORAGE_ACCESS_DENIED')) return [];
    throw error;
  });
  const membership = (await readNewestGeneration(bucket))?.membership;
  const known: readonly string[] = [
    ...found,
    ...(membership?.clusters ?? []),
    ...Object.keys(membership?.exclusions ?? {}),
    ...Object.keys(membership?.excluded ?? {}),
  ];
  if (known.includes(cluster)) return;
  throw new FederationError('CLUSTER_UNKNOWN', {
    subject: { cluster },
    detail: `There is no cluster ${cluster} in the bucket. Clusters there: ${found.join(', ') || 'none'}.`,
  });
}

function noRoster(error: unknown): never {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  throw new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: 'There is no roster in this Temporal namespace: no federator has ever run in it.',
    hint: 'Check temporal.address, temporal.namespace and temporal.idPrefix, or start the federator.',
    cause: error,
  });
}

/**
 * Time to wait for the answer of a run, in milliseconds. A run does not answer during its commit, because only after
 * the commit is it known whether the change still applies to that run.
 */
const answerWithinMs = 60_000;
const noAnswer = [WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError];

/** Sends the change to the run in progress, if there is one. Returns undefined if no run answered. */
async function changeRunInProgress(
  client: Client,
  idPrefix: string,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<RosterAnswer | undefined> {
  const update = kind === 'exclude' ? excludeClusterUpdate : includeClusterUpdate;
  for await (const { workflowId } of client.workflow.list({
    query: "WorkflowType = 'federation' AND ExecutionStatus = 'Running'",
  })) {
    if (!workflowId.startsWith(names(idPrefix).federation(''))) continue;
    try {
      return await client.withDeadline(Date.now() + answerWithinMs, () =>
        client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] }),
      );
    } catch (error) {
      // Ignore the error if the run ended, does not know the cluster, or has no worker. The next
      // commit reads the change from the roster.
      if (!noAnswer.some((kind) => error instanceof kind)) throw error;
    }
  }
  return undefined;
}
