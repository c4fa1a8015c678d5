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
 * Maximum number of activities at once: enough for a push, a pull, and requests to stop being a primary or to become
 * one again.
 */
const activitiesAtOnce = 4;

/**
 * Number of bytes of files that pushes and pulls may hold in memory at once. This is ample: a link of 1 Gbit/s with 100
 * ms latency has 12 MiB in flight. Decoding takes several times a file's bytes in addition, but only for one file at a
 * time.
 */
const transferBytes = 64 * 2 ** 20;

/**
 * Starts the role Federated Cluster, Primary Cluster, or both. Serves the cluster's own task queue, so that work on its
 * volume runs where the volume is mounted. If the settings no longer give the cluster one of these roles, ends the
 * workflow of that role. Throws DUPLICATE_CLUSTER_ID, before anything is served, if the cluster id belongs to another
 * volume.
 */
export async function startCluster(context: RoleContext): Promise<StartedRole> {
  const { settings, bucket, client, names, log } = context;
  const { clusterId: cluster, localEtl: local } = settings;
  const { federatedCluster, primaryCluster } = settings.roles;
  const store = localEtl(local.path);
  // Creates the folder of a new primary. The folder of a Federated Cluster must already exist: if it does not, its
  // volume is not mounted.
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
  // Retried until it succeeds, since the federator, which runs the roster, may start later than this cluster.
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
    // These values are also in the memo, since it can be read while no worker serves the workflow.
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
