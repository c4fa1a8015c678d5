import { WorkflowNotFoundError } from '@temporalio/client';
import type { PushSummary } from '../activities/push-local-etl';
import type { federateOnPush } from '../workflows/federate-on-push';
import { pushed } from '../workflows/messages';
import { endWorkflow } from './end-workflow';
import type { RoleContext } from './role';

/**
 * Minimum time between the starts of two federations after pushes, in milliseconds. Long enough that clusters which push
 * one after the other do not keep the federator busy all the time.
 */
export const gapMs = 60_000;

/** If the settings enable federation on push, starts the workflow for it. Otherwise, terminates that workflow. */
export async function ensureFederateOnPush({
  client,
  names,
  settings,
}: Pick<RoleContext, 'client' | 'names' | 'settings'>): Promise<void> {
  if (settings.federator.federateOnPush) {
    await client.workflow.start<typeof federateOnPush>('federateOnPush', {
      workflowId: names.federateOnPush,
      taskQueue: names.federationQueue,
      args: [{ idPrefix: settings.temporal.idPrefix, gapMs }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'Starts a federation after pushes',
    });
    return;
  }
  const unwanted = 'the settings of the federator no longer ask for federations on push';
  await endWorkflow(client, names.federateOnPush, unwanted);
}

/**
 * Signals that this cluster has pushed. A lost signal does no harm: the next scheduled federation includes the push
 * anyway.
 */
export async function reportPush(
  { client, names, log }: RoleContext,
  { uploaded }: Pick<PushSummary, 'uploaded'>,
): Promise<void> {
  if (uploaded === 0) return;
  try {
    await client.workflow.getHandle(names.federateOnPush).signal(pushed);
  } catch (error) {
    // Ignore a missing workflow: it runs only if a federator has enabled federation on push.
    if (!(error instanceof WorkflowNotFoundError))
      log.debug(
        { event: 'push.not-reported', reason: error },
        'The push could not be reported to the federator',
      );
  }
}
