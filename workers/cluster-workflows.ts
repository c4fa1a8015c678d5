import type { Client } from '@temporalio/client';
import { FederationError } from '../errors/federation-error';
import { forgetPrimary, type LoopSettings, pullNow, pushNow, registerPrimary } from '../workflows/messages';
import type { pull } from '../workflows/pull';
import type { push } from '../workflows/push';
import { type Need, workflowNeed } from './needs';
import { createNotifier, type Notifier } from './notifier';
import { openWorkflow } from './open-workflow';
import type { RoleContext } from './role';

/** The parts of a role's context with which it starts and signals its workflows. */
export type WorkflowContext = Pick<RoleContext, 'client' | 'names' | 'settings' | 'log'>;

/** Starts the pull workflow, or signals it if it is running. */
export async function startPull({ client, names, settings }: WorkflowContext): Promise<void> {
  const {
    clusterId: cluster,
    pull: { everyMs },
  } = settings;
  await client.workflow.signalWithStart<typeof pull, [LoopSettings?]>('pull', {
    workflowId: names.pull(cluster),
    taskQueue: names.clusterQueue(cluster),
    args: [{ cluster, pullEveryMs: everyMs }],
    signal: pullNow,
    signalArgs: [{ everyMs }],
    staticSummary: `Keeps the local ETL of ${cluster} in line with the combined set`,
  });
}

/** Signals the push workflow, and starts it if it is not running. */
export function signalPush({ client, names, settings }: WorkflowContext, instance: string) {
  const {
    clusterId: cluster,
    localEtl: { rescanEveryMs },
    storage: { existing: existingConfig },
  } = settings;
  return client.workflow.signalWithStart<typeof push, [LoopSettings?]>('push', {
    workflowId: names.push(cluster),
    taskQueue: names.clusterQueue(cluster),
    args: [{ cluster, instance, rescanEveryMs }],
    signal: pushNow,
    signalArgs: [{ everyMs: rescanEveryMs, existingConfig }],
    // Also store these values in the workflow's memo, which can be read even if no worker serves the workflow.
    memo: { instance, existingConfig },
    staticSummary: `Keeps Federated Storage a copy of the local ETL of ${cluster}`,
  });
}

/**
 * Starts the push workflow, or signals it if it is running. Throws DUPLICATE_CLUSTER_ID if it belongs to another
 * volume.
 */
export async function startPush(context: WorkflowContext, instance: string): Promise<void> {
  const { workflowId } = await signalPush(context, instance);
  const { memo } = await context.client.workflow.getHandle(workflowId).describe();
  if (memo?.['instance'] === instance) return;
  throw new FederationError('DUPLICATE_CLUSTER_ID', {
    subject: { cluster: context.settings.clusterId, key: context.settings.localEtl.path },
    detail: `This volume is ${instance}, but the cluster's data comes from volume ${String(memo?.['instance'])}.`,
    retryable: false,
  });
}

/** A cluster's entry in the roster's list of primaries. */
export interface Registration {
  /**
   * Asks the roster to add this cluster if it is a primary, and then pulls. Otherwise asks the roster to remove it.
   * Retries until that succeeds.
   */
  begin(): Promise<void>;
  /** The need for this entry. Restoring it repeats the request if another roster has been started since. */
  readonly need: Need;
  close(): void;
}

/** Returns the registration of this cluster, without sending anything yet. */
export function registrationOf(context: WorkflowContext): Registration {
  const { client, names, settings, log } = context;
  const { clusterId: cluster } = settings;
  const { primaryCluster } = settings.roles;
  /** Id of the roster that has received the request. */
  let registeredIn: string | undefined;
  let isAbsenceKnown = false;

  async function register(): Promise<boolean> {
    const roster = await rosterId(client, names.roster);
    if (roster === undefined) {
      if (!isAbsenceKnown)
        log.info(
          { event: 'roster.awaited', cluster },
          `${cluster} registers as a primary once a federator runs in this Temporal namespace`,
        );
      isAbsenceKnown = true;
      return false;
    }
    await client.workflow
      .getHandle(names.roster)
      .signal(primaryCluster ? registerPrimary : forgetPrimary, { cluster });
    // A generation that was committed before this registration has not been announced to this primary.
    if (primaryCluster) await startPull(context);
    registeredIn = roster;
    return true;
  }

  const notifier: Notifier = createNotifier(register, log);
  return {
    begin: async () => {
      if (primaryCluster || (await openWorkflow(client, names.roster)) !== undefined) notifier.notify();
    },
    need: {
      what: `the registration of ${cluster} as a primary`,
      condition: { role: 'primaryCluster', name: 'roster' },
      found: () =>
        registeredIn === undefined
          ? {
              holds: 'no',
              reason: `${cluster} is not registered as a primary: no federator runs in this Temporal namespace.`,
            }
          : { holds: 'yes' },
      restore: async () => {
        // If the cluster is not registered yet, the notifier is still trying to register it.
        if (!primaryCluster || registeredIn === undefined) return false;
        const roster = await rosterId(client, names.roster);
        return roster !== undefined && roster !== registeredIn && (await register());
      },
    },
    close: () => notifier.close(),
  };
}

/** Returns the id of the running roster, which stays the same when it continues as new. */
async function rosterId(client: Client, workflowId: string): Promise<string | undefined> {
  const roster = await openWorkflow(client, workflowId);
  return roster && (roster.raw.workflowExecutionInfo?.firstRunId || roster.runId);
}

/** Returns what the cluster's roles need in Temporal. `instance` is the id of the cluster's volume. */
export function clusterNeeds(context: WorkflowContext, instance: string, registration: Registration): Need[] {
  const { client, names, settings } = context;
  const { clusterId: cluster, roles } = settings;
  const needs: Need[] = [];
  if (roles.federatedCluster)
    needs.push(
      workflowNeed(client, { role: 'federatedCluster', name: 'temporal' }, names.push(cluster), () =>
        startPush(context, instance),
      ),
    );
  if (roles.primaryCluster)
    needs.push(
      workflowNeed(client, { role: 'primaryCluster', name: 'temporal' }, names.pull(cluster), () =>
        startPull(context),
      ),
      registration.need,
    );
  return needs;
}
