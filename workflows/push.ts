import { condition, proxyActivities, setHandler, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { ClusterActivities } from '../activities/cluster-activities';
import type { PushSummary } from '../activities/push-local-etl';
import type { Condition } from '../federation/conditions';
import { type AttemptLoop, attemptLoop, intervalOf, nextAttempt } from './attempts';
import { continueWithMemo } from './continue-with-memo';
import { handleInternalSignals } from './internal-signal';
import { type Attempted, pushNow, pushState, reportConditions } from './messages';
import { reportedConditions } from './reported-conditions';
import { longActivity } from './retries';

export interface PushInput {
  readonly cluster: string;
  /** Id of the volume to which the cluster id is bound. Pushes from any other volume fail. */
  readonly instance: string;
  /**
   * Approximate interval between scans of the local ETL, in milliseconds. A scan also finds files that are missing from
   * the bucket, which are then pushed again.
   */
  readonly rescanEveryMs: number;
  readonly state?: Attempted<PushSummary>;
  /** Conditions of the Federated Cluster role, as its process last reported them. */
  readonly conditions?: readonly Condition[];
}

const { pushLocalEtl } = proxyActivities<ClusterActivities>(longActivity);

/**
 * Keeps the cluster's folder in Federated Storage up to date with its local ETL, forever. A signal arrives whenever
 * local files change. Signals do not say which files: each push scans the local ETL for files that differ, so that one
 * push can handle several signals.
 */
export async function push(input: PushInput): Promise<void> {
  const loop: AttemptLoop<PushSummary> = attemptLoop(input.state);
  let everyMs = input.rescanEveryMs;
  let { conditions } = input;
  setHandler(
    pushNow,
    (settings) => {
      loop.requested = true;
      everyMs = intervalOf(settings, everyMs);
      noteExistingConfig(settings?.existingConfig);
    },
    { description: 'Look for what differs and push it' },
  );
  handleInternalSignals([
    reportConditions,
    (message) => (conditions = reportedConditions(message)?.conditions ?? conditions),
  ]);
  setHandler(
    pushState,
    () => ({
      cluster: input.cluster,
      instance: input.instance,
      ...loop.state,
      ...(conditions && { conditions }),
    }),
    {
      description: 'What the last push did',
    },
  );
  while (!workflowInfo().continueAsNewSuggested) {
    await nextAttempt(loop, 'push', everyMs, () =>
      pushLocalEtl.executeWithOptions({ summary: `push ${input.cluster}` }, [{ instance: input.instance }]),
    );
    await condition(() => loop.requested, loop.waitMs);
  }
  await continueWithMemo<typeof push>({ ...input, rescanEveryMs: everyMs, state: loop.state, conditions });
}

/**
 * Stores in the workflow's memo whether the cluster uses the existing storage configuration of Kubecost's backup. Other
 * clusters read this when they start. Ignores invalid values.
 */
function noteExistingConfig(existingConfig: unknown): void {
  const noted = workflowInfo().memo?.['existingConfig'] === true;
  if (typeof existingConfig === 'boolean' && existingConfig !== noted) upsertMemo({ existingConfig });
}
