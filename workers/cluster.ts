import { mkdir } from 'node:fs/promises';
import { createClusterActivities } from '../activities/cluster-activities';
import { FederationError } from '../errors/federation-error';
import { instanceOf } from '../local-etl/instance';
import { localEtl } from '../local-etl/store';
import { watchLocalEtl } from '../local-etl/watch';
import { pullNow, pushNow, registerPrimary } from '../workflows/messages';
import type { pull } from '../workflows/pull';
import type { push } from '../workflows/push';
import type { roster } from '../workflows/roster';
import { temporalContext } from './as-activity';
import { createNotifier } from './notifier';
import type { RoleContext, StartedRole } from './role';
import { createWorker } from './workers';

/** A push and a pull at a time, and room for leaving or entering. */
const activitiesAtOnce = 4;

/**
 * A Federated Cluster, a Primary Cluster, or both: serves the cluster's own task queue, so that what touches its volume
 * happens where the volume is. Throws DUPLICATE_CLUSTER_ID, before anything is served, when the cluster id belongs to
 * another volume.
 */
export async function startCluster(context: RoleContext): Promise<StartedRole> {
  const { settings, bucket, client, names, log } = context;
  const { federatedCluster, primaryCluster } = settings.roles;
  const store = localEtl(settings.localEtl.path);
  // A fresh primary begins with nothing. A Federated Cluster's folder must be there: else the volume is not mounted.
  if (!federatedCluster) await mkdir(store.root, { recursive: true });
  if (federatedCluster) await startPush(context, await instanceOf(store));
  const activities = createClusterActivities({
    settings,
    bucket,
    log,
    now: () => new Date(),
    heartbeat: temporalContext.heartbeat,
    signal: () => temporalContext.signal,
  });
  const worker = await createWorker(context, {
    taskQueue: names.clusterQueue(settings.clusterId),
    activities,
    workflows: true,
    maxConcurrentActivityTaskExecutions: activitiesAtOnce,
  });
  const notifier = createNotifier(async () => void (await signalPush(context, await instanceOf(store))), log);
  const watcher = federatedCluster ? watchLocalEtl(store, () => notifier.notify()) : undefined;
  return {
    workers: [worker],
    begin: async () => {
      if (primaryCluster) await startPull(context);
    },
    close: async () => {
      await watcher?.close();
      notifier.close();
    },
  };

  async function startPull({ settings: { clusterId, pull: every } }: RoleContext): Promise<void> {
    await client.workflow.signalWithStart<typeof pull, []>('pull', {
      workflowId: names.pull(clusterId),
      taskQueue: names.clusterQueue(clusterId),
      args: [{ cluster: clusterId, pullEveryMs: every.everyMs }],
      signal: pullNow,
      staticSummary: `Keeps the local ETL of ${clusterId} what is combined`,
    });
    await client.workflow.signalWithStart<typeof roster, [{ cluster: string }]>('roster', {
      workflowId: names.roster,
      taskQueue: names.federationQueue,
      args: [{ bucket: bucket.label }],
      signal: registerPrimary,
      signalArgs: [{ cluster: clusterId }],
      memo: { bucket: bucket.label },
      staticSummary: 'Who is excluded, and which primaries are told',
    });
  }
}

function signalPush({ client, names, settings }: RoleContext, instance: string) {
  const cluster = settings.clusterId;
  return client.workflow.signalWithStart<typeof push, []>('push', {
    workflowId: names.push(cluster),
    taskQueue: names.clusterQueue(cluster),
    args: [{ cluster, instance, rescanEveryMs: settings.localEtl.rescanEveryMs }],
    signal: pushNow,
    // In the memo too, as that can be read while nobody serves the workflow.
    memo: { instance },
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
