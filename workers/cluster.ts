import { createClusterActivities } from '../activities/cluster-activities';
import type { PushInput } from '../activities/push-local-etl';
import { programVersion } from '../config/program-version';
import { instanceOf, noteStart } from '../local-etl/instance';
import { allowed, type LocalEtl, localEtl } from '../local-etl/store';
import { watchLocalEtl } from '../local-etl/watch';
import { roleGone } from '../operator/stopped-pushes';
import { makeFolder } from '../storage/make-folder';
import { createMemoryBudget } from '../storage/memory-budget';
import { temporalContext } from './as-activity';
import { mostUnpacked } from './capacity';
import { clusterNeeds, registrationOf, signalPush, startPull, startPush } from './cluster-workflows';
import { endWorkflow } from './end-workflow';
import { reportPush } from './federate-on-push';
import { warnOfLimits } from './file-system-limits';
import { ActivityEnds, watchLastAttempts } from './last-attempts';
import { createNotifier } from './notifier';
import { type PrimaryApi, type PrimaryContext, startPrimaryApi } from './primary-api';
import type { RoleContext, StartedRole } from './role';
import { warnOfSharedConfig } from './shared-config';
import type { VolumeRefusals } from './volume-refusals';
import { createWorker } from './workers';

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

/** The parts of a cluster that are open before the process connects to Temporal. */
export interface OpenedCluster {
  readonly store: LocalEtl;
  /** Id of the cluster's volume. */
  readonly instance: string;
  /** The query API, which already answers queries. Undefined if the cluster is not a primary. */
  readonly api?: PrimaryApi;
}

/**
 * Opens the volume of a cluster. On a primary, also starts the query API, which serves the data that was ingested
 * earlier. Needs neither Temporal nor the store, so a restarted primary answers queries even while they are
 * unavailable. The caller must close the API.
 */
export async function openCluster(context: PrimaryContext): Promise<OpenedCluster> {
  const { settings, log } = context;
  const { federatedCluster, primaryCluster } = settings.roles;
  const store = localEtl(settings.localEtl.path);
  // Create the folder of a new primary. The folder of a Federated Cluster must already exist: if it does not, the
  // cluster's volume is not mounted.
  if (!federatedCluster) await allowed(store.root, makeFolder(store.root));
  const instance = await instanceOf(store);
  await warnOfLimits(log, store.state, 'local ETL');
  return { store, instance, ...(primaryCluster && { api: await startPrimaryApi(context) }) };
}

/**
 * Starts the Federated Cluster role, the Primary Cluster role, or both. Serves the cluster's own task queue, so that
 * activities that need the cluster's volume run where it is mounted. If the settings no longer include one of these
 * roles, terminates the workflow of that role. Throws DUPLICATE_CLUSTER_ID, before anything is pushed or pulled, if the
 * cluster id belongs to another volume. `refusals` records what the volumes refuse to its activities.
 */
export async function startCluster(
  context: RoleContext,
  { store, instance, api }: OpenedCluster,
  refusals: VolumeRefusals,
): Promise<StartedRole> {
  const { settings, bucket, client, names, log } = context;
  const { clusterId: cluster } = settings;
  const { federatedCluster, primaryCluster } = settings.roles;
  if (federatedCluster) {
    // This fails on a read-only or full volume. The process continues, but a clone of the volume would not be noticed.
    await noteStart(store).catch((error: unknown) =>
      log.warn({ event: 'state.start-unknown', reason: error }, 'The start could not be noted on the volume'),
    );
    await startPush(context, instance);
  } else await endWorkflow(client, names.push(cluster), roleGone);
  if (!primaryCluster) await endWorkflow(client, names.pull(cluster), roleGone);
  const activities = createClusterActivities({
    program: programVersion(),
    settings,
    bucket,
    log,
    budget: createMemoryBudget(transferBytes, mostUnpacked()),
    now: () => new Date(),
    heartbeat: temporalContext.heartbeat,
    signal: () => temporalContext.signal,
    ...(api !== undefined && { query: api }),
  });
  const pushLocalEtl = refusals.observed('federatedCluster', activities.pushLocalEtl);
  const activityEnds = new ActivityEnds();
  const worker = await createWorker(context, {
    taskQueue: names.clusterQueue(cluster),
    activities: {
      ...activities,
      pullCombined: refusals.observed('primaryCluster', activities.pullCombined),
      ingestCombined: refusals.observed('primaryCluster', (input: { readonly generation: number }) =>
        activities.ingestCombined(input),
      ),
      pushLocalEtl: async (input: PushInput) => {
        const summary = await pushLocalEtl(input);
        await reportPush(context, summary);
        return summary;
      },
    },
    workflows: true,
    maxConcurrentActivityTaskExecutions: activitiesAtOnce,
    onActivityEnd: () => activityEnds.note(),
  });
  const changes = createNotifier(async () => (await signalPush(context, instance), true), log);
  const registration = registrationOf(context);
  let stopAsking = (): void => undefined;
  const watcher = federatedCluster ? watchLocalEtl(store, () => changes.notify()) : undefined;
  return {
    workers: [worker],
    needs: clusterNeeds(context, instance, registration),
    begin: async () => {
      if (primaryCluster) await startPull(context);
      if (settings.storage.existing) await warnOfSharedConfig(client, names, cluster, log);
      await registration.begin();
      stopAsking = watchLastAttempts(context, activityEnds);
    },
    close: async () => {
      stopAsking();
      await watcher?.close();
      changes.close();
      registration.close();
    },
  };
}
