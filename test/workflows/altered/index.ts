import { proxyActivities } from '@temporalio/workflow';
import type { PushSummary } from '../../../activities/push-local-etl';

/*
 * Workflows as a careless edit would leave them, to prove that replaying the recorded histories notices it: their
 * first decisions differ from the recorded ones.
 */

const { reviewLocalEtl } = proxyActivities<{ reviewLocalEtl(): Promise<PushSummary> }>({
  startToCloseTimeout: '1h',
});

/** Starts a different activity than recorded. */
export async function push(): Promise<void> {
  await reviewLocalEtl();
}

/** Starts an activity before it waits, which was not recorded. */
export async function roster(): Promise<void> {
  await reviewLocalEtl();
}

/** Omits the commit. */
export async function commit(): Promise<void> {
  return Promise.resolve();
}
