import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { generationSchema } from '../../federation/generation';
import type { FederationRequest } from '../../federation/run';
import { silentLog } from '../../config/log';
import { loadSettings } from '../../config/settings';
import { decodeSet, encodeSet } from '../../etl/file';
import type { Instant } from '../../etl/instant';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { clusterId } from '../../etl/cluster-id';
import { clusterEtlKey, generationKey } from '../../federation/layout';
import { countCall } from '../../storage/count-calls';
import { readAll } from '../../storage/read-all';
import { withMetrics } from '../../storage/with-metrics';
import { startCluster } from '../../workers/cluster';
import { startFederator } from '../../workers/federator';
import { Readiness } from '../../workers/health';
import { registerRoleMetrics } from '../../workers/metrics';
import { Releasers } from '../../workers/releasers';
import type { RoleContext, StartedRole } from '../../workers/role';
import type { federation } from '../../workflows/federation';
import {
  excludeCluster,
  includeClusterUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  progress,
  pullState,
  pushNow,
  pushState,
  type FederationPhase,
} from '../../workflows/messages';
import { names } from '../../workflows/names';
import { historyToJson } from './history-json';
import { findTemporal } from '../../scripts/set-up/temporal-cli';
import { startTemporalServer } from '../../scripts/set-up/temporal-server';

/*
 * Records the histories that test/workflows replays: `npx tsx test/workflows/record-histories.ts`. Real workflows, real
 * activities, a real server; the bucket is a folder with the golden data. `docs/design/workflows.md` says when.
 */

const root = resolve(__dirname, '..', '..');
const golden = join(root, 'test', 'golden', 'bucket');
const histories = join(root, 'test', 'histories');
const patienceMs = 60_000;
const { federationQueue, roster, commit, push, pull, federation: federationId } = names('');
const say = (line: string) => process.stdout.write(`${line}\n`);

/** A small federation on this machine: cluster-4 is the federator, cluster-5 a primary that is federated too. */
class Recording {
  private constructor(
    readonly folder: string,
    readonly bucket: Bucket,
    readonly client: Client,
  ) {}

  static async start(held: Releasers): Promise<Recording> {
    const folder = await mkdtemp(join(tmpdir(), 'record-histories-'));
    held.defer(() => rm(folder, { recursive: true, force: true }));
    await cp(golden, join(folder, 'bucket'), { recursive: true });
    await cp(join(golden, 'federated', 'cluster-5', 'etl'), join(folder, 'etl'), { recursive: true });
    await writeFile(
      join(folder, 'store.yaml'),
      stringify({ type: 'FILESYSTEM', config: { directory: join(folder, 'bucket') } }),
    );
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    const address = await startServer(folder, held);
    const connection = await Connection.connect({ address });
    held.defer(() => connection.close());
    const client = new Client({ connection, namespace: 'default', identity: 'record-histories' });
    const store = withMetrics(openFilesystem({ directory: join(folder, 'bucket') }), countCall);
    const bucket = labelled(store, 'file:///bucket');
    const recording = new Recording(folder, bucket, client);
    const federator = { federator: { enabled: true } };
    const primary = { federatedCluster: true, primaryCluster: true };
    await recording.startRole('cluster-4', federator, startFederator, { address, connection }, held);
    await recording.startRole('cluster-5', primary, startCluster, { address, connection }, held);
    return recording;
  }

  /** Starts a federation, as a person does. */
  federate(
    name: string,
    request: Partial<FederationRequest> = {},
  ): Promise<WorkflowHandle<typeof federation>> {
    return this.client.workflow.start<typeof federation>('federation', {
      workflowId: federationId(name),
      taskQueue: federationQueue,
      args: [{ idPrefix: '', request: { trigger: 'person', ...request } }],
      workflowRunTimeout: '5m',
      staticSummary: 'Merges what clusters pushed, window by window, and commits one generation',
    });
  }

  /** Writes the history of a workflow, as far as it is, without what is of this machine alone. */
  async save(file: string, workflowId: string): Promise<void> {
    const json = historyToJson(await this.client.workflow.getHandle(workflowId).fetchHistory());
    const neutral = json
      .replaceAll(`${root}/`, '')
      .replaceAll(this.folder, '/data')
      .replaceAll(hostname(), 'host')
      .replaceAll(`@${process.pid}`, '@1')
      .replaceAll(`/${process.pid}`, '/1');
    await writeFile(join(histories, `${file}.json`), neutral);
    say(`${file}: ${Math.ceil(neutral.length / 1024)} KB`);
  }

  private async startRole(
    id: string,
    federatedETL: object,
    start: (context: RoleContext) => Promise<StartedRole>,
    { address, connection }: { address: string; connection: Connection },
    held: Releasers,
  ): Promise<void> {
    const file = join(this.folder, `${id}.yaml`);
    const settings = {
      clusterId: id,
      federatedETL,
      storage: { configFile: join(this.folder, 'store.yaml') },
      localEtl: { path: join(this.folder, 'etl') },
      temporal: { address },
    };
    await writeFile(file, stringify(settings));
    const native = await NativeConnection.connect({ address });
    held.defer(() => native.close());
    const registry = new Registry();
    const role = await start({
      settings: loadSettings({ file, env: {} }),
      bucket: this.bucket,
      conditionalCreate: async () => 'kept',
      client: this.client,
      connection,
      native,
      names: names(''),
      log: silentLog,
      held,
      registry,
      metrics: registerRoleMetrics(
        registry,
        new Readiness({ federatedCluster: false, federator: false, primaryCluster: false }),
      ),
    });
    const runs = role.workers.map((worker) => worker.run());
    held.defer(async () => {
      for (const worker of role.workers) worker.shutdown();
      await Promise.all(runs);
      await role.close();
    });
    await role.begin();
  }
}

async function startServer(folder: string, held: Releasers): Promise<string> {
  const temporal = await findTemporal({ say, useAddress: false });
  if (temporal.kind !== 'binary') throw new Error('A server of its own is needed.');
  const logFile = join(folder, 'temporal.log');
  const server = await startTemporalServer({ binary: temporal.path, headless: true, logFile });
  held.defer(() => server.stop());
  return server.address;
}

/** The same bucket under a name that is not of this machine: it stands in the roster's history. */
function labelled(bucket: Bucket, label: string): Bucket {
  return new Proxy(bucket, {
    get(target, name: keyof Bucket) {
      if (name === 'label') return label;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

async function main(): Promise<void> {
  await using held = new Releasers();
  const recording = await Recording.start(held);
  await mkdir(histories, { recursive: true });
  // What is pushed during a run would be changed windows to the next one.
  const pushing = recording.client.workflow.getHandle(push('cluster-5'));
  await until('a push', async () => (await pushing.query(pushState)).summary);
  await recordFederations(recording);
  await recordManyWindows(recording);
  await recordFailure(recording);
  await recordCluster(recording);
  await recording.save('roster', roster);
}

async function recordFederations(recording: Recording): Promise<void> {
  const record = async (name: string, run: WorkflowHandle<typeof federation>) => {
    const { outcome, generation, merged } = await run.result();
    say(`${run.workflowId}: ${outcome}, generation ${generation}, ${merged} windows merged`);
    await recording.save(name, run.workflowId);
  };
  await record('federation', await recording.federate('first'));
  await recording.save('commit', commit);
  await record('federation-unchanged', await recording.federate('unchanged'));

  const excluding = await recording.federate('excluding', { force: true });
  await untilPhase(excluding, 'merging');
  await excluding.signal(excludeCluster, { cluster: 'cluster-3', reason: 'odd prices' });
  await record('federation-excluded', excluding);

  const including = await recording.federate('including', { force: true });
  await untilPhase(including, 'merging');
  await including.executeUpdate(includeClusterUpdate, { args: ['cluster-3'] });
  await record('federation-included', including);

  const cancelled = await recording.federate('cancelled', { force: true });
  await untilPhase(cancelled, 'merging');
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);
  await recording.save('federation-cancelled', cancelled.workflowId);
}

/**
 * Two parts, which are two lanes, of small windows: made of one golden file, of other hours. The second part is a small one,
 * so that its history is.
 */
async function recordManyWindows(recording: Recording): Promise<void> {
  const hour = 3600;
  const first = 1794830400;
  const cluster = clusterId('cluster-1');
  const file = clusterEtlKey(cluster, `allocations/1h/${first - hour}-${first}`);
  const set = decodeSet('allocations', await readFile(join(golden, file)));
  const [record] = set.allocations ?? [];
  set.allocations = new Map(record === undefined ? [] : [record]);
  const at = (seconds: number): Instant => ({ seconds, nanos: 0, zoneMinutes: -1, zoneSeconds: null });
  for (let window = 0; window < 53; window++) {
    const start = first + window * hour;
    set.window = { ...set.window, start: at(start), end: at(start + hour) };
    const key = clusterEtlKey(cluster, `allocations/1h/${start}-${start + hour}`);
    await recording.bucket.put(key, encodeSet(set));
  }
  const run = await recording.federate('many');
  const { outcome, merged } = await run.result();
  say(`${run.workflowId}: ${outcome}, ${merged} windows merged`);
  await recording.save('federation-many-windows', run.workflowId);
  await recording.save('merge-windows', `${run.workflowId}/windows-1`);
}

/** A run that finds a generation of a federator which knows another membership. */
async function recordFailure(recording: Recording): Promise<void> {
  const { bucket } = recording;
  const key = generationKey(await newestGeneration(recording));
  const { bytes } = await readAll(bucket, key);
  const generation = generationSchema.parse(JSON.parse(bytes.toString()));
  const scope = { exclude: ['cluster-9'] };
  const foreign = { ...generation, membership: { ...generation.membership, federator: 'cluster-9', scope } };
  await bucket.put(key, Buffer.from(JSON.stringify(foreign)));
  const run = await recording.federate('failed');
  await run.result().then(
    () => say('The run that should fail did not.'),
    () => recording.save('federation-failed', run.workflowId),
  );
  await bucket.put(key, bytes);
}

async function newestGeneration({ client }: Recording): Promise<number> {
  const { generation } = await client.workflow.getHandle(federationId('many')).query(progress);
  if (generation === undefined) throw new Error('Nothing was committed.');
  return generation;
}

async function recordCluster(recording: Recording): Promise<void> {
  const { workflow } = recording.client;
  const pushing = workflow.getHandle(push('cluster-5'));
  await pushing.signal(pushNow);
  const pulling = workflow.getHandle(pull('cluster-5'));
  const generation = await newestGeneration(recording);
  await until('a pull', async () => (await pulling.query(pullState)).summary?.generation === generation);
  await pulling.executeUpdate(primaryStatusUpdate);
  await pulling.executeUpdate(leavePrimaryUpdate);
  await until('nothing to pull', async () => (await pulling.query(pullState)).summary?.state === 'left');
  await pulling.executeUpdate('enterPrimary');
  await until('a pull', async () => (await pulling.query(pullState)).summary?.state === 'pulled');
  await recording.save('push', pushing.workflowId);
  await recording.save('pull', pulling.workflowId);
}

const untilPhase = (run: WorkflowHandle, phase: FederationPhase) =>
  until(phase, async () => {
    const now = await run.query(progress);
    if (now.phase === 'done') throw new Error(`${run.workflowId} ended before it was ${phase}.`);
    return now.phase === phase;
  });

async function until(what: string, look: () => Promise<unknown>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await look()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
