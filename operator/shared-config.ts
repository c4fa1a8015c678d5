import type { Client } from '@temporalio/client';
import type { Names } from '../workflows/names';
import { runningClusters } from './running-clusters';

/** Lists the running clusters that have `useExistingS3Config` set, except this one, in the order of their ids. */
export async function othersWithExistingConfig(
  client: Client,
  names: Names,
  cluster: string,
): Promise<string[]> {
  const others: string[] = [];
  for await (const { cluster: id, memo } of runningClusters(client, names, 'push'))
    if (id !== cluster && memo?.['existingConfig'] === true) others.push(id);
  return others.sort();
}

/** Returns the warning that other clusters also use the bucket of Kubecost's backup. */
export function sharedConfigWarning(others: readonly string[]): string {
  return (
    `federatedETL.useExistingS3Config is set for ${others.join(', ')} as well: where clusters share the bucket of ` +
    'Kubecost’s backup, it becomes unreliable. Give each cluster its own federated-store.yaml.'
  );
}
