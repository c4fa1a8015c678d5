import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { mapConcurrently } from '../concurrency/map-concurrently';
import type { Names } from '../workflows/names';

/** The reason with which a cluster terminates the workflow of a role that its settings no longer give it. */
export const roleGone = 'the settings of the cluster no longer give it this role';

/**
 * Returns those of the given clusters whose pushes were stopped on purpose: their settings no longer make them a
 * Federated Cluster. If Temporal has forgotten the workflow of a cluster, it is not among them.
 */
export async function stoppedPushes(
  client: Client,
  names: Names,
  clusters: readonly string[],
): Promise<ReadonlySet<string>> {
  const reasons = await mapConcurrently(clusters, 8, (cluster) => whyTerminated(client, names.push(cluster)));
  return new Set(clusters.filter((_, index) => reasons[index] === roleGone));
}

/** Returns why a workflow was terminated. Returns undefined if it was not, or does not exist. */
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
