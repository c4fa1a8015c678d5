import type { Client } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { everyMinute } from './every-minute';
import type { RoleContext } from './role';
import { workerIdentity } from './workers';

/**
 * Logs one line for each other federator of the same Temporal namespace. Federators share the runs, and each continues
 * if another one ends. Returns a function that stops the search.
 */
export function watchOtherFederators({ client, names, settings, log }: RoleContext): () => void {
  const own = workerIdentity(settings);
  const since = new Date();
  const known = new Set<string>();
  return everyMinute(log, 'which other federators run', async () => {
    for (const other of await otherFederators(client, names.federationQueue, own, since)) {
      if (known.has(other)) continue;
      known.add(other);
      log.info(
        { event: 'federator.another', identity: other },
        `Federator is not the only one: ${other} serves the same federation. Each stands by for the other: a run goes to either, and goes on at the other if one ends`,
      );
    }
  });
}

/**
 * Returns the identities of the other workers that have polled a task queue since a given time. Temporal still lists a
 * worker for some minutes after it has ended. So a process passes the time of its own start, to skip its predecessor.
 */
export async function otherFederators(
  client: Client,
  taskQueue: string,
  own: string,
  since: Date,
): Promise<string[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return pollers.flatMap(({ identity, lastAccessTime }) => {
    const isOther =
      identity && identity !== own && lastAccessTime && tsToMs(lastAccessTime) >= since.getTime();
    return isOther ? [identity] : [];
  });
}
