import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import type { PullSummary } from '../../activities/pull-summary';
import type { PushSummary } from '../../activities/push-local-etl';
import { type PullState, pullState, type PushState, pushState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { until } from './until';

/** Time limit for each step of the example, in milliseconds. */
export const patienceMs = 120_000;

const { schedule: scheduleId, push, pull } = names('');

/** Waits until a cluster has pushed for the first time. Returns the summary of that push. */
export async function firstPush(client: Client, cluster: string, stop: AbortSignal): Promise<PushSummary> {
  const handle = client.workflow.getHandle(push(cluster));
  return until(
    `the push of ${cluster}`,
    patienceMs,
    stop,
    async () => (await handle.query<PushState>(pushState)).summary,
  );
}

/** Triggers the federation's schedule. Returns the workflow id of the run that the schedule starts. */
export async function triggerRun(client: Client, stop: AbortSignal): Promise<string> {
  const schedule = client.schedule.getHandle(scheduleId);
  const before = (await schedule.describe()).info.recentActions.length;
  await schedule.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
  return until('the run to start', patienceMs, stop, async () => {
    const actions = (await schedule.describe()).info.recentActions;
    return actions.length > before ? actions.at(-1)?.action.workflow.workflowId : undefined;
  });
}

/**
 * Waits until a primary has pulled the given generation (version of the combined data) or a newer one. Returns the
 * summary of that pull.
 */
export async function pullOf(
  client: Client,
  cluster: string,
  generation: number,
  stop: AbortSignal,
): Promise<PullSummary> {
  const handle = client.workflow.getHandle(pull(cluster));
  return until(`the pull of generation ${generation} by ${cluster}`, patienceMs, stop, async () => {
    const { summary, error } = await handle.query<PullState>(pullState);
    return (summary?.generation ?? 0) >= generation && error === undefined ? summary : undefined;
  });
}
