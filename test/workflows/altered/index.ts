import { proxyActivities } from '@temporalio/workflow';
import type { PushSummary } from '../../../activities/push-local-etl';

/*
 * Versions of the workflows with careless edits. Each behaves differently from the version whose histories were
 * recorded. Tests check that replaying these histories detects the difference.
 */

const { reviewLocalEtl } = proxyActivities<{ reviewLocalEtl(): Promise<PushSummary> }>({
  startToCloseTimeout: '1h',
});

/** Starts a different activity than the recorded workflow started. */
export async function push(): Promise<void> {
  await reviewLocalEtl();
}

/** Starts an activity immediately. The recorded workflow waited first. */
export async function roster(): Promise<void> {
  await reviewLocalEtl();
}

/** Ends without committing anything. */
export async function commit(): Promise<void> {
  return Promise.resolve();
}
