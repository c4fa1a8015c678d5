import type { Client } from '@temporalio/client';
import type { Names } from '../workflows/names';

/** Lists the running clusters that have `useExistingS3Config` set, except this one, in the order of their ids. */
export async function othersWithExistingConfig(
  client: Client,
  names: Names,
  cluster: string,
): Promise<string[]> {
  const others: string[] = [];
  const query = `WorkflowType = 'push' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, memo } of client.workflow.list({ query })) {
    // Other federations may use the same namespace. The prefix of a workflow id shows to which federation the workflow
    // belongs.
    const [before, id] = [names.push(''), workflowId.slice(names.push('').length)];
    if (workflowId.startsWith(before) && id !== cluster && memo?.['existingConfig'] === true) others.push(id);
  }
  return others.sort();
}

/** Returns the warning that other clusters also use the bucket of Kubecost's backup. */
export function sharedConfigWarning(others: readonly string[]): string {
  return (
    `federatedETL.useExistingS3Config is set for ${others.join(', ')} as well: where clusters share the bucket of ` +
    'Kubecost’s backup, it becomes unreliable. Give each cluster its own federated-store.yaml.'
  );
}
