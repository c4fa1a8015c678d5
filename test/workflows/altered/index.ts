import { proxyActivities } from '@temporalio/workflow';
import type { PushSummary } from '../../../activities/push-local-etl';

/*
 * Workflows as a careless edit would leave them: their first decisions differ from the recorded ones. They prove that a
 * replay of the recorded histories notices such an edit.
 */

const { reviewLocalEtl } = proxyActivities<{ reviewLocalEtl(): Promise<PushSummary> }>({
  startToCloseTimeout: '1h',
});

/** Starts an activity other than the recorded one. */
export async function push(): Promise<void> {
  await reviewLocalEtl();
}

/** Starts an activity before it waits. The recorded workflow did not. */
export async function roster(): Promise<void> {
  await reviewLocalEtl();
}

/** Leaves out the commit. */
export async function commit(): Promise<void> {
  return Promise.resolve();
}
