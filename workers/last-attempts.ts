import { WorkflowNotFoundError } from '@temporalio/client';
import { promptly } from '../operator/promptly';
import type { Attempted, PullState } from '../workflows/messages';
import { everyMinute } from './every-minute';
import type { RoleContext } from './role';

const answerWithinMs = 10_000;

/**
 * Returns the time of the last successful push or pull, in milliseconds since the epoch. After a failure, returns the
 * time of the first failure since that success. Returns undefined if there was no attempt yet.
 */
export function lastSuccess({ at, error }: Attempted<unknown>): number | undefined {
  const time = error?.since ?? at;
  return time === undefined ? undefined : Date.parse(time);
}

/**
 * Keeps the metrics about the last push and the last pull of this cluster up to date. Asks the push and pull workflows
 * every minute, because only they remember what happened before this process started. Before the first attempt, the
 * start of the workflow is used. Returns a function that stops these updates.
 */
export function watchLastAttempts({ settings, client, names, log, metrics }: RoleContext): () => void {
  const { clusterId: cluster, roles } = settings;

  async function lastOf(
    workflowId: string,
  ): Promise<{ readonly at: number; readonly exported?: number } | undefined> {
    const handle = client.workflow.getHandle(workflowId);
    try {
      return await promptly(client, answerWithinMs, async () => {
        const state = await handle.query<Attempted<unknown> & Pick<PullState, 'export'>>('state');
        const at = lastSuccess(state) ?? (await handle.describe()).startTime.getTime();
        return { at, exported: state.export?.summary?.generation };
      });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  return everyMinute(log, 'when the last push and pull succeeded', async () => {
    const pushed = roles.federatedCluster ? await lastOf(names.push(cluster)) : undefined;
    if (pushed !== undefined) metrics.pushedAt(pushed.at);
    const pulled = roles.primaryCluster ? await lastOf(names.pull(cluster)) : undefined;
    if (pulled !== undefined) metrics.pulledAt(pulled.at);
    if (pulled?.exported !== undefined) metrics.exportedUpTo(pulled.exported);
  });
}
