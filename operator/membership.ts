import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { discoverClusters } from '../activities/survey-clusters';
import { readNewestGeneration } from '../activities/read-generations';
import { FederationError, isFederationError } from '../errors/federation-error';
import {
  excludeCluster,
  excludeClusterUpdate,
  includeCluster,
  includeClusterUpdate,
  type ClusterMessage,
  type RosterAnswer,
} from '../workflows/messages';
import type { Operator } from './operator';

export type MembershipChange = 'exclude' | 'include';

/** Takes a cluster out, or back in, and says from when on. Throws CLUSTER_UNKNOWN. */
export async function changeMembership(
  operator: Operator,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<RosterAnswer> {
  await requireKnown(operator, message.cluster);
  const { client } = await operator.temporal();
  // The roster first: whatever becomes of a run in progress, the next one reads it there.
  await client.workflow
    .getHandle(operator.names.roster)
    .signal(kind === 'exclude' ? excludeCluster : includeCluster, message)
    .catch(noRoster);
  const answer = await tellRunInProgress(client, operator.settings.temporal.idPrefix, kind, message);
  return answer ?? { cluster: message.cluster, from: 'in the next' };
}

/** The change in a sentence. */
export function describeChange(kind: MembershipChange, { cluster, from }: RosterAnswer): string {
  return `${cluster} is ${kind}d ${from === 'in this run' ? 'in the run in progress' : 'from the next federation on'}.`;
}

/** A slip in an id would otherwise be an exclusion of nothing, which looks like success. */
async function requireKnown(operator: Operator, cluster: string): Promise<void> {
  const bucket = await operator.bucket();
  // Who may read only what is combined knows the clusters that are in it.
  const found: readonly string[] = await discoverClusters(bucket, {}).catch((error: unknown) => {
    if (isFederationError(error, 'STORAGE_ACCESS_DENIED')) return [];
    throw error;
  });
  const {
    clusters = [],
    exclusions = {},
    excluded = {},
  } = (await readNewestGeneration(bucket))?.membership ?? {};
  if (found.includes(cluster) || clusters.includes(cluster) || cluster in exclusions || cluster in excluded)
    return;
  throw new FederationError('CLUSTER_UNKNOWN', {
    subject: { cluster },
    detail: `There is no cluster ${cluster} in the bucket; there are: ${found.join(', ') || 'none'}.`,
  });
}

function noRoster(error: unknown): never {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  throw new FederationError('TEMPORAL_UNAVAILABLE', {
    detail: 'There is no roster in this Temporal namespace: no federator was ever started in it.',
    hint: 'Check temporal.address, temporal.namespace and temporal.idPrefix, or start the federator.',
    cause: error,
  });
}

/** A commit that is under way is waited for: only then it is known whether it still counted. */
const answerWithinMs = 60_000;
const noAnswer = [WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError];

/** Asks a run in progress, if there is one, whether it still counts there. */
async function tellRunInProgress(
  client: Client,
  idPrefix: string,
  kind: MembershipChange,
  message: ClusterMessage,
): Promise<RosterAnswer | undefined> {
  const update = kind === 'exclude' ? excludeClusterUpdate : includeClusterUpdate;
  for await (const { workflowId } of client.workflow.list({
    query: "WorkflowType = 'federation' AND ExecutionStatus = 'Running'",
  })) {
    if (!workflowId.startsWith(`${idPrefix}federation-`)) continue;
    try {
      return await client.withDeadline(Date.now() + answerWithinMs, () =>
        client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] }),
      );
    } catch (error) {
      // It ended meanwhile, does not know the cluster, or nobody serves it: the roster knows, for whoever commits next.
      if (!noAnswer.some((kind) => error instanceof kind)) throw error;
    }
  }
  return undefined;
}
