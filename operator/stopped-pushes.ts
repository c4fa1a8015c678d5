import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Names } from '../workflows/names';

/** The reason that a cluster gives when it terminates the workflow of a role that it no longer has. */
export const roleGone = 'the settings of the cluster no longer give it this role';

/**
 * Returns those of the given clusters whose pushes were stopped on purpose, because their settings no longer make them
 * a Federated Cluster. Omits clusters whose workflow Temporal no longer knows.
 */
export async function stoppedPushes(
  client: Client,
  names: Names,
  clusters: readonly string[],
): Promise<ReadonlySet<string>> {
  const reasons = await mapConcurrently(clusters, 8, (cluster) => whyTerminated(client, names.push(cluster)));
  return new Set(clusters.filter((_, index) => reasons[index] === roleGone));
}

/** Returns why a workflow was terminated. Returns undefined if it was not terminated or does not exist. */
async function whyTerminated(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    const { status, runId } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'TERMINATED') return undefined;
    const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    return history?.events?.[0]?.workflowExecutionTerminatedEventAttributes?.reason ?? undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
