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
  /** The id of the volume that this cluster id belongs to; another volume's pushes are refused. */
  readonly instance: string;
  /** Approximate interval of rescans, which restore files missing from the bucket. In milliseconds. */
  readonly rescanEveryMs: number;
  readonly state?: Attempted<PushSummary>;
}

const { pushLocalEtl } = proxyActivities<ClusterActivities>(longActivity);

/**
 * Keeps Federated Storage a copy of one cluster's local ETL store, forever. The watcher of the local store signals it;
 * signals carry no file list and coalesce, since the activity itself finds what differs.
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

/** Sets the memo that other clusters read when they start. Ignores malformed values. */
function noteExistingConfig(existingConfig: unknown): void {
  const noted = workflowInfo().memo?.['existingConfig'] === true;
  if (typeof existingConfig === 'boolean' && existingConfig !== noted) upsertMemo({ existingConfig });
}
