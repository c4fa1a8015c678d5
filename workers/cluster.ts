import { mkdir } from 'node:fs/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { createClusterActivities } from '../activities/cluster-activities';
import type { PushInput } from '../activities/push-local-etl';
import { FederationError } from '../errors/federation-error';
import { instanceOf } from '../local-etl/instance';
import { localEtl } from '../local-etl/store';
import { watchLocalEtl } from '../local-etl/watch';
import { createMemoryBudget } from '../storage/memory-budget';
import { forgetPrimary, type LoopSettings, pullNow, pushNow, registerPrimary } from '../workflows/messages';
import type { pull } from '../workflows/pull';
import type { push } from '../workflows/push';
import { temporalContext } from './as-activity';
import { endWorkflow } from './end-workflow';
import { reportPush } from './federate-on-push';
import { createNotifier } from './notifier';
import { startPrimaryApi } from './primary-api';
import type { RoleContext, StartedRole } from './role';
import { warnOfSharedConfig } from './shared-config';
import { createWorker } from './workers';

const roleGone = 'the settings of the cluster no longer give it this role';

/**
 * Maximum number of activities that run at once. It allows for a push, a pull, and requests to leave or enter the
 * primary role.
 */
const activitiesAtOnce = 4;

/**
 * Maximum total size of the files that pushes and pulls hold in memory, in bytes. It is ample: even a link of 1 Gbit/s
 * with 100 ms latency has only 12 MiB in flight. Decoding a file needs additional memory, several times the size of the
 * file, but only one file is decoded at a time.
 */
const transferBytes = 64 * 2 ** 20;

/**
 * Starts the Federated Cluster role, the Primary Cluster role, or both. Serves the cluster's own task queue, so that
 * activities that need the cluster's volume run where it is mounted. If the settings no longer include one of these
 * roles, terminates the workflow of that role. Throws DUPLICATE_CLUSTER_ID, before anything is served, if the cluster
 * id belongs to another volume.
 */
export async function startCluster(context: RoleContext): Promise<StartedRole> {
  const { settings, bucket, client, names, log } = context;
  const { clusterId: cluster, localEtl: local } = settings;
  const { federatedCluster, primaryCluster } = settings.roles;
  const store = localEtl(local.path);
  // Create the folder of a new primary. The folder of a Federated Cluster must already exist: if it does not, the
  // cluster's volume is not mounted.
  if (!federatedCluster) await mkdir(store.root, { recursive: true });
  const instance = await instanceOf(store);
  if (federatedCluster) await startPush(context, instance);
  else await endWorkflow(client, names.push(cluster), roleGone);
  if (!primaryCluster) await endWorkflow(client, names.pull(cluster), roleGone);
  const api = primaryCluster ? await startPrimaryApi(context) : undefined;
  const activities = createClusterActivities({
    settings,
    bucket,
    log,
    budget: createMemoryBudget(transferBytes),
    now: () => new Date(),
    heartbeat: temporalContext.heartbeat,
    signal: () => temporalContext.signal,
    ...(api !== undefined && { query: api }),
  });
  const worker = await createWorker(context, {
    taskQueue: names.clusterQueue(cluster),
    activities: {
      ...activities,
      pushLocalEtl: async (input: PushInput) => {
        const summary = await activities.pushLocalEtl(input);
        await reportPush(context, summary);
        return summary;
      },
    },
    workflows: true,
    maxConcurrentActivityTaskExecutions: activitiesAtOnce,
  });
  const changes = createNotifier(async () => void (await signalPush(context, instance)), log);
  // Keep retrying: the federator, which runs the roster workflow, may start later than this cluster.
  const roster = createNotifier(
    () =>
      client.workflow
        .getHandle(names.roster)
        .signal(primaryCluster ? registerPrimary : forgetPrimary, { cluster }),
    log,
  );
  const watcher = federatedCluster ? watchLocalEtl(store, () => changes.notify()) : undefined;
  return {
    workers: [worker],
    begin: async () => {
      if (primaryCluster) await startPull(context);
      if (settings.storage.existing) await warnOfSharedConfig(client, names, cluster, log);
      if (primaryCluster || !(await isGone(client, names.roster))) roster.notify();
    },
    ...(api !== undefined && { unserved: () => api.unserved() }),
    close: async () => {
      await watcher?.close();
      changes.close();
      roster.close();
      await api?.close();
    },
  };
}

async function startPull({ client, names, settings }: RoleContext): Promise<void> {
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

function signalPush({ client, names, settings }: RoleContext, instance: string) {
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

async function startPush(context: RoleContext, instance: string): Promise<void> {
  const { workflowId } = await signalPush(context, instance);
  const { memo } = await context.client.workflow.getHandle(workflowId).describe();
  if (memo?.['instance'] === instance) return;
  throw new FederationError('DUPLICATE_CLUSTER_ID', {
    subject: { cluster: context.settings.clusterId, key: context.settings.localEtl.path },
    detail: `This volume is ${instance}, but the cluster's data comes from volume ${String(memo?.['instance'])}.`,
    retryable: false,
  });
}

async function isGone(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
