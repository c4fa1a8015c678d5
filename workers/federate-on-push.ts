import { WorkflowNotFoundError } from '@temporalio/client';
import type { PushSummary } from '../activities/push-local-etl';
import type { federateOnPush } from '../workflows/federate-on-push';
import { pushed } from '../workflows/messages';
import { endWorkflow } from './end-workflow';
import type { RoleContext } from './role';

/** Clusters write for some seconds when a window ends, and all of them at once. */
const quietMs = 10_000;
const latestMs = 60_000;

/** Has pushes start federations, or ends that, as the federator's settings say. */
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
  const unwanted = 'the settings of the federator do not want federations on push any more';
  await endWorkflow(client, names.federateOnPush, unwanted);
}

/** Says that a cluster pushed, to whom it may concern. Nothing depends on it: the schedule comes anyway. */
export async function tellOfPush(
  { client, names, log }: RoleContext,
  { uploaded }: Pick<PushSummary, 'uploaded'>,
): Promise<void> {
  if (uploaded === 0) return;
  try {
    await client.workflow.getHandle(names.federateOnPush).signal(pushed);
  } catch (error) {
    // Usually no federator wants to know.
    if (!(error instanceof WorkflowNotFoundError))
      log.debug({ event: 'push.untold', reason: String(error) }, 'Nobody could be told of the push');
  }
}
