import { WorkflowNotFoundError } from '@temporalio/client';
import type { PushSummary } from '../activities/push-local-etl';
import type { federateOnPush } from '../workflows/federate-on-push';
import { pushed } from '../workflows/messages';
import { endWorkflow } from './end-workflow';
import type { RoleContext } from './role';

/**
 * A federation starts after this long without a push. When a window ends, all clusters push within a few seconds of each
 * other, and the federation waits until they are done.
 */
const quietMs = 10_000;
const latestMs = 60_000;

/** Starts or ends the workflow that federates after pushes, according to the settings. */
export async function ensureFederateOnPush({ client, names, settings }: RoleContext): Promise<void> {
  if (settings.federator.federateOnPush) {
    await client.workflow.start<typeof federateOnPush>('federateOnPush', {
      workflowId: names.federateOnPush,
      taskQueue: names.federationQueue,
      args: [{ idPrefix: settings.temporal.idPrefix, quietMs, latestMs }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'Starts a federation after pushes',
    });
    return;
  }
  const unwanted = 'the settings of the federator no longer ask for federations on push';
  await endWorkflow(client, names.federateOnPush, unwanted);
}

/** Signals that this cluster pushed. A lost signal does no harm: the schedule runs anyway. */
export async function reportPush(
  { client, names, log }: RoleContext,
  { uploaded }: Pick<PushSummary, 'uploaded'>,
): Promise<void> {
  if (uploaded === 0) return;
  try {
    await client.workflow.getHandle(names.federateOnPush).signal(pushed);
  } catch (error) {
    // Ignore that the workflow does not exist: by default, no federator runs it.
    if (!(error instanceof WorkflowNotFoundError))
      log.debug(
        { event: 'push.not-reported', reason: String(error) },
        'The push could not be reported to the federator',
      );
  }
}
