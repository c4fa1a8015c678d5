import { proxyActivities } from '@temporalio/workflow';
import type { PushSummary } from '../../../activities/push-local-etl';

/*
 * Workflows as a careless edit would leave them, to prove that replaying the recorded histories notices it. What they
 * do first is not what was done first when those were recorded.
 */

const { reviewLocalEtl } = proxyActivities<{ reviewLocalEtl(): Promise<PushSummary> }>({
  startToCloseTimeout: '1h',
});

/** Asks for another activity than it did. */
export async function push(): Promise<void> {
  await reviewLocalEtl();
}

/** Asks for something before it waits, where it did not. */
export async function roster(): Promise<void> {
  await reviewLocalEtl();
}

/** Forgets to commit. */
export async function commit(): Promise<void> {
  return Promise.resolve();
}
