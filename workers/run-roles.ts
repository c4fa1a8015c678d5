import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { startCodec } from '../api/codec';
import type { Log } from '../config/log';
import { openLoggedBucket } from '../config/open-logged-bucket';
import { PayloadEncryption } from '../config/payload-encryption';
import type { Settings } from '../config/settings';
import { SettingsRenewal } from '../config/settings-renewal';
import type { FederationError } from '../errors/federation-error';
import { withHint } from '../errors/hints';
import type { ConditionName } from '../federation/conditions';
import { backupsPrefix, combinedPrefix, probeKey } from '../federation/layout';
import { withProbedCreate } from '../storage/conditional-create';
import { countCall } from '../storage/count-calls';
import { names } from '../workflows/names';
import { awaitKeys } from './await-keys';
import { openCluster, startCluster } from './cluster';
import { connectPatiently } from './connect';
import { dataConverter } from './data-converter';
import { startFederator } from './federator';
import { warnOfBucketLimits } from './file-system-limits';
import { Readiness, startHealth } from './health';
import { localLook } from './local-look';
import { registerRoleMetrics } from './metrics';
import { keepNeeds } from './needs';
import { openStore } from './open-store';
import { Releasers } from './releasers';
import { RenewableTemporal } from './renewable-temporal';
import { repeat } from './repeat';
import { keepReporting } from './report-conditions';
import type { RoleContext, StartedRole } from './role';
import { sdkMetrics } from './runtime';
import { serveRoles } from './serve-roles';
import { untilAllowed } from './until-allowed';

/**
 * Runs the roles of a cluster until `stop` is aborted, then shuts them down gracefully. No work is lost: an activity
 * either finishes in time or is retried by the next worker. Calls `ready` when all roles have started. Throws an error
 * if a role cannot start or a worker fails.
 */
export async function runRoles(
  settings: Settings,
  log: Log,
  stop: AbortSignal,
  ready?: () => void,
): Promise<void> {
  await using held = new Releasers();
  const registry = new Registry();
  const readiness = new Readiness(settings.roles);
  const metrics = registerRoleMetrics(registry, readiness);
  const health = await startHealth(settings.health.listen, readiness, registry, sdkMetrics);
  held.defer(() => health.close());
  log.info({ event: 'health.listening', url: health.url }, `health and metrics are at ${health.url}`);
  stop.addEventListener('abort', () => readiness.all('is stopping'), { once: true });

  const { conditions } = readiness;
  const local = localLook(settings, conditions);
  const { roles, clusterId } = settings;
  const openBucket = () =>
    openLoggedBucket(settings.storage, log, {
      observe: (call) => {
        metrics.storageCalled(call);
        local.storageCalled(call);
        countCall(call);
      },
      kept: (why) => local.storeKept(why),
    });
  const store = await openStore(openBucket, {
    isPatient: roles.primaryCluster,
    log,
    stop,
    unusable: (error) => doesNotHold(readiness, 'store', error),
  });
  held.defer(() => store.close());
  const common = { settings, names: names(settings.temporal.idPrefix), log, registry };
  const connected: { temporal?: RenewableTemporal; client?: Client } = {};
  const renewal = new SettingsRenewal(settings, log);
  const { codec } = settings;
  if (codec !== undefined) {
    const endpoint = await startCodec({
      ...codec,
      token: () => renewal.codecToken,
      codec: new PayloadEncryption(() => renewal.temporal.encryptionKeys),
      log,
    });
    held.defer(() => endpoint.close());
    log.info({ event: 'codec.listening', url: endpoint.url }, `the codec endpoint is at ${endpoint.url}`);
  }
  const workers: Worker[] = [];
  const stopLooking = repeat(lookEveryMs, async () => {
    const refused = renewal.look();
    if (refused !== undefined) doesNotHold(readiness, 'temporal', refused);
    if (workers.length > 0) await connected.temporal?.renew(renewal.temporal, workers);
  });
  // Defer this before the API is opened, so that the API is closed first.
  held.defer(async () => connected.temporal?.close());
  held.defer(async () => stopLooking());
  const cluster =
    roles.federatedCluster || roles.primaryCluster
      ? await untilAllowed(
          () =>
            openCluster({
              ...common,
              bucket: () => store.bucket(),
              client: () => connected.client,
              token: () => renewal.token,
              readTokens: () => renewal.readTokens,
            }),
          { log, stop, refused: (error) => cannotUseVolume(readiness, error) },
        )
      : undefined;
  const api = cluster?.api;
  if (api !== undefined) {
    held.defer(() => api.close());
    if (!stop.aborted) readiness.serving(() => api.unserved());
  }
  readiness.starting(`waits for a valid ${settings.storage.file}`);
  const bucket = await store.untilOpen();
  const stopJudging = local.keep(bucket);
  held.defer(async () => stopJudging());
  const probed = withProbedCreate(
    bucket,
    probeKey(roles.federator ? combinedPrefix : backupsPrefix(clusterId), randomUUID()),
  );
  if (roles.federator || roles.federatedCluster) await warnOfBucketLimits(log, settings.storage.file);
  readiness.starting(`waits for Temporal at ${settings.temporal.address}`);
  // A primary that can answer queries keeps running, even if Temporal denies access or lacks the namespace.
  const canAnswer = () => api !== undefined && api.unserved() === undefined;
  const stopWaiting = repeat(60_000, async () => waitsForTemporal(readiness, settings.temporal.address), {
    atOnce: true,
  });
  const opened = await connectPatiently(() => renewal.temporal, log, stop, canAnswer).finally(stopWaiting);
  const temporal = (connected.temporal = new RenewableTemporal(opened, log));
  const { connection, native } = temporal;
  const converter = dataConverter(
    () => renewal.temporal.encryptionKeys,
    (error) => doesNotHold(readiness, 'temporal', error),
  );
  const client = (connected.client = new Client({
    connection,
    namespace: settings.temporal.namespace,
    dataConverter: converter,
  }));
  if (renewal.temporal.encryptionKeys.length > 0) {
    readiness.starting('waits for the right temporal.encryptionKeys');
    const { roster, push, pull } = common.names;
    await awaitKeys(client, [roster, push(clusterId), pull(clusterId)], {
      log,
      stop,
      insists: canAnswer,
      refused: (error) => doesNotHold(readiness, 'temporal', error),
    });
  }
  renewal.keepSecrets();
  readiness.starting('is starting');
  const context: RoleContext = {
    ...common,
    ...probed,
    connection,
    native,
    client,
    dataConverter: converter,
    held,
    metrics,
    conditions,
  };
  const started: StartedRole[] = [];
  if (roles.federator) started.push(await startFederator(context));
  if (cluster !== undefined) started.push(await startCluster(context, cluster, local.refusals));
  for (const role of started) held.defer(() => role.close());

  workers.push(...started.flatMap((role) => role.workers));
  await serveRoles(started, stop, (stopping) => {
    log.info(
      { event: 'started', cluster: clusterId, roles },
      `${clusterId} runs: ${describeRoles(settings)}`,
    );
    if (!stopping) {
      const needs = started.flatMap((role) => role.needs);
      for (const end of [keepNeeds(client, needs, log, conditions), keepReporting(context)])
        held.defer(async () => end());
      readiness.onceReady(() => unreachable(connection, settings.temporal.address));
    }
    ready?.();
  });
  log.info({ event: 'stopped', cluster: clusterId }, `${clusterId} stopped`);
}

/** Time between two checks of the files with tokens, keys and certificates, in milliseconds. */
const lookEveryMs = 5_000;

/** Records, for each role of the process, that a condition does not hold because of an error. */
function doesNotHold({ roles, conditions }: Readiness, name: ConditionName, error: FederationError): void {
  for (const role of roles) conditions.found(role, name, { holds: 'no', reason: withHint(error) });
}

/** Records, for each role, that the volume of the local ETL cannot be used. */
function cannotUseVolume(readiness: Readiness, error: FederationError): void {
  readiness.starting(`waits for the volume of localEtl.path: ${withHint(error)}`);
  doesNotHold(readiness, 'disk', error);
}

/** Records, for each role, that Temporal has not been reached yet. */
function waitsForTemporal({ roles, conditions }: Readiness, address: string): void {
  for (const role of roles)
    conditions.found(role, 'temporal', {
      holds: 'no',
      reason: `Temporal at ${address} has not been reached yet.`,
    });
}

const answerWithinMs = 2_000;

/** Returns the reason why Temporal cannot be reached, or undefined if it can. */
async function unreachable(connection: Connection, address: string): Promise<string | undefined> {
  const cannot = `cannot reach Temporal at ${address}`;
  const asked = connection
    .withDeadline(Date.now() + answerWithinMs, () => connection.workflowService.getSystemInfo({}))
    .then(
      () => undefined,
      () => cannot,
    );
  // Also set a timer, because the SDK ignores the deadline of a request while it is reconnecting.
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(cannot), answerWithinMs);
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function describeRoles({ roles }: Settings): string {
  const names = [
    roles.federatedCluster ? 'Federated Cluster' : '',
    roles.federator ? 'Federator' : '',
    roles.primaryCluster ? 'Primary Cluster' : '',
  ];
  return names.filter((name) => name !== '').join(', ');
}
