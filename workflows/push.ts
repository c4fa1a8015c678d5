import {
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClusterActivities } from '../activities/cluster-activities';
import type { PushSummary } from '../activities/push-local-etl';
import { type AttemptLoop, attemptLoop, intervalOf, nextAttempt } from './attempts';
import { type Attempted, pushNow, pushState } from './messages';
import { longActivity } from './retries';

export interface PushInput {
  readonly cluster: string;
  /** Id of the volume that this cluster id belongs to. Pushes from another volume are refused. */
  readonly instance: string;
  /** Approximate interval of rescans, in milliseconds. A rescan restores files that are missing from the bucket. */
  readonly rescanEveryMs: number;
  readonly state?: Attempted<PushSummary>;
}

const { pushLocalEtl } = proxyActivities<ClusterActivities>(longActivity);

/**
 * Keeps the copy of one cluster's local ETL store in Federated Storage up to date, forever. The watcher of the local
 * store sends a signal after changes. The signal carries no file list, and several signals may lead to one push, since
 * the push activity itself finds the files that differ.
 */
export async function push(input: PushInput): Promise<void> {
  const loop: AttemptLoop<PushSummary> = attemptLoop(input.state);
  let everyMs = input.rescanEveryMs;
  setHandler(
    pushNow,
    (settings) => {
      loop.requested = true;
      everyMs = intervalOf(settings, everyMs);
      noteExistingConfig(settings?.existingConfig);
    },
    { description: 'Look for what differs and push it' },
  );
  setHandler(pushState, () => ({ cluster: input.cluster, instance: input.instance, ...loop.state }), {
    description: 'What the last push did',
  });
  while (!workflowInfo().continueAsNewSuggested) {
    await nextAttempt(loop, 'push', everyMs, () =>
      pushLocalEtl.executeWithOptions({ summary: `push ${input.cluster}` }, [{ instance: input.instance }]),
    );
    await condition(() => loop.requested, loop.waitMs);
  }
  await continueAsNew<typeof push>({ ...input, rescanEveryMs: everyMs, state: loop.state });
}

/** Updates the memo that other clusters read when they start. Ignores malformed values. */
function noteExistingConfig(existingConfig: unknown): void {
  const noted = workflowInfo().memo?.['existingConfig'] === true;
  if (typeof existingConfig === 'boolean' && existingConfig !== noted) upsertMemo({ existingConfig });
}
