import { proxyActivities } from '@temporalio/workflow';
import type { PushSummary } from '../../../activities/push-local-etl';

/*
 * Versions of the workflows after a careless edit: their first decisions differ from the recorded ones. Tests check
 * that a replay of the recorded histories detects such an edit.
 */

const { reviewLocalEtl } = proxyActivities<{ reviewLocalEtl(): Promise<PushSummary> }>({
  startToCloseTimeout: '1h',
});

/** Starts another activity than the recorded workflow did. */
export async function push(): Promise<void> {
  await reviewLocalEtl();
}

/** Starts an activity at once. The recorded workflow first waited. */
export async function roster(): Promise<void> {
  await reviewLocalEtl();
}

/** Ends without a commit. */
export async function commit(): Promise<void> {
  return Promise.resolve();
}
