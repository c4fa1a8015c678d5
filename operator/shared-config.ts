import type { Client } from '@temporalio/client';
import type { Names } from '../workflows/names';

/** Lists the clusters that run with `useExistingS3Config`, other than this one, in the order of their ids. */
export async function othersWithExistingConfig(
  client: Client,
  names: Names,
  cluster: string,
): Promise<string[]> {
  const others: string[] = [];
  const query = `WorkflowType = 'push' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, memo } of client.workflow.list({ query })) {
    // Several federations may share the namespace. The start of the workflow id tells whether a push belongs to this
    // one.
    const [before, id] = [names.push(''), workflowId.slice(names.push('').length)];
    if (workflowId.startsWith(before) && id !== cluster && memo?.['existingConfig'] === true) others.push(id);
  }
  return others.sort();
}

/** Returns the guide's warning about clusters that share the bucket of Kubecost's backup. */
export function sharedConfigWarning(others: readonly string[]): string {
  return (
    `federatedETL.useExistingS3Config is set for ${others.join(', ')} as well: where clusters share the bucket of ` +
    'Kubecost’s backup, it becomes unreliable. Give each cluster its own federated-store.yaml.'
  );
}
