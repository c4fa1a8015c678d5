import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { type ClusterId, isClusterId } from '../etl/cluster-id';
import type { Names } from '../workflows/names';

/** A cluster whose push or pull workflow runs. */
export interface RunningCluster {
  readonly cluster: ClusterId;
  readonly memo: WorkflowExecutionInfo['memo'];
}

/** Lists the clusters of this federation whose workflow of this type runs. The list lags behind by about a second. */
export async function* runningClusters(
  client: Client,
  names: Names,
  type: 'push' | 'pull',
): AsyncGenerator<RunningCluster> {
  const prefix = names[type]('');
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, memo } of client.workflow.list({ query })) {
    // Other federations may use the same namespace. The prefix of a workflow id shows to which federation the workflow
    // belongs.
    const cluster = workflowId.slice(prefix.length);
    if (workflowId.startsWith(prefix) && isClusterId(cluster)) yield { cluster, memo };
  }
}
