import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { silentLog } from '../../config/log';
import { loadSettings } from '../../config/settings';
import { clusterId } from '../../etl/cluster-id';
import { generationSchema } from '../../federation/generation';
import { clusterEtlKey, combinedPrefix, federatedPrefix, generationKey } from '../../federation/layout';
import type { FederationRequest } from '../../federation/run';
import { findTemporal } from '../../scripts/set-up/temporal-cli';
import { startTemporalServer } from '../../scripts/set-up/temporal-server';
import type { Bucket } from '../../storage/bucket';
import { countCall } from '../../storage/count-calls';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { readAll } from '../../storage/read-all';
import { withMetrics } from '../../storage/with-metrics';
import { asActivities } from '../../workers/as-activity';
import { openCluster, startCluster } from '../../workers/cluster';
import { startFederator } from '../../workers/federator';
import { Readiness } from '../../workers/health';
import { registerRoleMetrics } from '../../workers/metrics';
import { Releasers } from '../../workers/releasers';
import type { RoleContext, StartedRole } from '../../workers/role';
import { VolumeRefusals } from '../../workers/volume-refusals';
import { workflowBundle } from '../../workers/workflow-bundle';
import type { federateOnPush } from '../../workflows/federate-on-push';
import type { federation } from '../../workflows/federation';
import {
  excludeCluster,
  excludeClusterUpdate,
  type FederationPhase,
  leavePrimaryUpdate,
  progress,
  pullState,
  pushed,
  pushState,
} from '../../workflows/messages';
import { names } from '../../workflows/names';
import { allGoesWell, asCounted, describedShard, planOf } from './doubles';
import { historyToJson } from './history-json';

/*
 * Records the histories that the tests in test/workflows replay. Runs real workflows and activities on a real server.
 * The bucket is a folder with golden files. To run this script: `npx tsx test/workflows/record-histories.ts`.
 * `docs/design/workflows.md` describes when this is necessary.
 */

const root = resolve(__dirname, '..', '..');
const golden = join(root, 'test', 'golden', 'bucket');
const histories = join(root, 'test', 'histories');
const patienceMs = 60_000;
/** The only window in the bucket. */
const window = 'allocations/1d/1794614400-1794700800';
const { roster, commit, push, pull } = names('');
const say = (line: string) => process.stdout.write(`${line}\n`);

/**
 * A minimal federation on this machine, with one window of three clusters. The federator is cluster-4, and the primary
 * is cluster-5.
 */
class Recording {
  private constructor(
    readonly folder: string,
    readonly bucket: Bucket,
    readonly client: Client,
    readonly native: NativeConnection,
    private readonly gate: Gate,
  ) {}

  static async start(held: Releasers): Promise<Recording> {
    const folder = await mkdtemp(join(tmpdir(), 'record-histories-'));
    held.defer(() => rm(folder, { recursive: true, force: true }));
    for (const cluster of ['cluster-1', 'cluster-3']) {
      const key = clusterEtlKey(clusterId(cluster), window);
      await cp(join(golden, key), join(folder, 'bucket', key));
    }
    const own = clusterEtlKey(clusterId('cluster-5'), window);
    await cp(join(golden, own), join(folder, 'etl', 'bingen', window));
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
    const gate = new Gate();
    const bucket = gated(store, 'file:///bucket', gate);
    const native = await NativeConnection.connect({ address });
    held.defer(() => native.close());
    const recording = new Recording(folder, bucket, client, native, gate);
    const federator = { federator: { enabled: true } };
    const primary = { federatedCluster: true, primaryCluster: true };
    await recording.startRole('cluster-4', federator, startFederator, { address, connection }, held);
    await recording.startRole('cluster-5', primary, startPrimary, { address, connection }, held);
    return recording;
  }

  /**
   * Starts a federation as an operator would. Uses the task queues for `idPrefix`. (Default: the queues of a federation
   * without a prefix)
   */
  federate(
    name: string,
    request: Partial<FederationRequest> = {},
    idPrefix = '',
  ): Promise<WorkflowHandle<typeof federation>> {
    const { federation: id, federationQueue } = names(idPrefix);
    return this.client.workflow.start<typeof federation>('federation', {
      workflowId: id(name),
      taskQueue: federationQueue,
      args: [{ idPrefix, request: { trigger: 'person', ...request } }],
      workflowRunTimeout: '5m',
      staticSummary: 'Merges what clusters pushed, window by window, and commits one generation',
    });
  }

  /**
   * Starts a federation, and calls `meanwhile` once the run is merging. The merges cannot read files until `meanwhile`
   * has ended.
   */
  async whileMerging(
    name: string,
    request: Partial<FederationRequest>,
    meanwhile: (run: WorkflowHandle<typeof federation>) => Promise<unknown>,
  ): Promise<WorkflowHandle<typeof federation>> {
    this.gate.close();
    try {
      const run = await this.federate(name, request);
      await untilPhase(run, 'merging');
      await meanwhile(run);
      return run;
    } finally {
      this.gate.open();
    }
  }

  /**
   * Writes the current history of a workflow to a file. Replaces everything that depends on this machine: paths, the
   * host name and process ids.
   */
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
    const { native } = this;
    const registry = new Registry();
    const readiness = new Readiness({ federatedCluster: false, federator: false, primaryCluster: false });
    const role = await start({
      settings: loadSettings({ file, env: {} }),
      bucket: this.bucket,
      conditionalCreate: async () => 'kept',
      client: this.client,
      connection,
      native,
      dataConverter: {},
      names: names(''),
      log: silentLog,
      held,
      registry,
      metrics: registerRoleMetrics(registry, readiness),
      conditions: readiness.conditions,
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

async function startPrimary(context: RoleContext): Promise<StartedRole> {
  const cluster = await openCluster({
    ...context,
    bucket: async () => context.bucket,
    client: () => context.client,
    token: () => undefined,
    readTokens: () => [],
  });
  context.held.defer(async () => cluster.api?.close());
  return startCluster(context, cluster, new VolumeRefusals());
}

async function startServer(folder: string, held: Releasers): Promise<string> {
  const temporal = await findTemporal({ say, useAddress: false });
  if (temporal.kind !== 'binary') throw new Error('A separate server is needed.');
  const logFile = join(folder, 'temporal.log');
  const server = await startTemporalServer({ binary: temporal.path, headless: true, logFile });
  held.defer(() => server.stop());
  return server.address;
}

/** A gate that can be closed. Callers of `pass` wait while it is closed. */
class Gate {
  private closed = Promise.withResolvers<void>();

  constructor() {
    this.open();
  }

  close(): void {
    this.closed = Promise.withResolvers<void>();
  }

  open(): void {
    this.closed.resolve();
  }

  pass(): Promise<void> {
    return this.closed.promise;
  }
}

/**
 * Returns a bucket with a given label. Its reads of cluster files wait while the gate is closed. The bucket's real
 * label must not be used: it is a path on this machine, and would become part of the roster's history.
 */
function gated(bucket: Bucket, label: string, gate: Gate): Bucket {
  return new Proxy(bucket, {
    get(target, name: keyof Bucket) {
      if (name === 'label') return label;
      if (name === 'get') {
        return async (...args: Parameters<Bucket['get']>) => {
          if (args[0].startsWith(federatedPrefix) && !args[0].startsWith(combinedPrefix)) await gate.pass();
          return target.get(...args);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

async function main(): Promise<void> {
  await using held = new Releasers();
  const recording = await Recording.start(held);
  await mkdir(histories, { recursive: true });
  // Wait until the first push has ended. A push during a run would change what the next run has to merge.
  const pushing = recording.client.workflow.getHandle(push('cluster-5'));
  await until('a push', async () => (await pushing.query(pushState)).summary);
  const generation = await recordReplanned(recording);
  await recordCluster(recording, generation);
  await recordCancelled(recording);
  await recordFailed(recording, generation);
  await recordFederateOnPush(recording);
  await recordLanes(recording);
  await recording.save('roster', roster);
}

/** Records a run that makes a second plan before it commits, because two clusters are excluded while it merges. */
async function recordReplanned(recording: Recording): Promise<number> {
  const run = await recording.whileMerging('excluding', {}, async (merging) => {
    await merging.signal(excludeCluster, { cluster: 'cluster-3', reason: 'odd prices' });
    await merging.executeUpdate(excludeClusterUpdate, { args: ['cluster-1'] });
  });
  const { outcome, generation, merged } = await run.result();
  say(`${run.workflowId}: ${outcome}, generation ${generation}, ${merged} windows merged`);
  if (generation === undefined) throw new Error('Nothing was committed.');
  await recording.save('federation-replanned', run.workflowId);
  await recording.save('commit', commit);
  return generation;
}

async function recordCancelled(recording: Recording): Promise<void> {
  const run = await recording.whileMerging('cancelled', { force: true }, (merging) => merging.cancel());
  await run.result().catch(() => undefined);
  await recording.save('federation-cancelled', run.workflowId);
}

/**
 * Records a run that fails because another federator, with a different membership, seems to have committed the newest
 * generation.
 */
async function recordFailed(recording: Recording, newest: number): Promise<void> {
  const { bucket } = recording;
  const key = generationKey(newest);
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

async function recordFederateOnPush(recording: Recording): Promise<void> {
  const run = await recording.client.workflow.start<typeof federateOnPush>('federateOnPush', {
    workflowId: names('').federateOnPush,
    taskQueue: names('').federationQueue,
    args: [{ idPrefix: '', gapMs: 1_000 }],
    staticSummary: 'Starts a federation after pushes',
  });
  await run.signal(pushed);
  await until('a federation after the push', async () => {
    const { events } = await run.fetchHistory();
    return events?.some((event) => event.childWorkflowExecutionCompletedEventAttributes);
  });
  await recording.save('federate-on-push', run.workflowId);
}

/**
 * Records a run with two lanes, each of which merges one shard. The activities are fakes, because a real plan needs
 * more than 50 windows to have two shards. The run has a separate id prefix, so its queues and its commit workflow are
 * separate, too.
 */
async function recordLanes(recording: Recording): Promise<void> {
  const idPrefix = 'lanes';
  const activities = asActivities(
    asCounted(() => ({
      ...allGoesWell(),
      planFederation: async () => planOf([1, 1]),
      describeShard: async ({ shard }) => describedShard(1, shard),
    })),
  );
  const { federationQueue, mergeQueue } = names(idPrefix);
  const common = { connection: recording.native, namespace: 'default', activities };
  const worker = await Worker.create({
    ...common,
    taskQueue: federationQueue,
    workflowBundle: await workflowBundle(),
  });
  const merges = await Worker.create({ ...common, taskQueue: mergeQueue });
  await worker.runUntil(
    merges.runUntil(async () => {
      const run = await recording.federate('lanes', {}, idPrefix);
      const { outcome, merged } = await run.result();
      say(`${run.workflowId}: ${outcome}, ${merged} windows merged`);
      await recording.save('federation-lanes', run.workflowId);
      await recording.save('merge-windows', `${run.workflowId}/windows-1`);
    }),
  );
}

async function recordCluster(recording: Recording, generation: number): Promise<void> {
  const { workflow } = recording.client;
  const pulling = workflow.getHandle(pull('cluster-5'));
  await until('a pull', async () => (await pulling.query(pullState)).summary?.generation === generation);
  await pulling.executeUpdate(leavePrimaryUpdate, { args: [{}] });
  await until('nothing to pull', async () => (await pulling.query(pullState)).summary?.state === 'left');
  await recording.save('push', push('cluster-5'));
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
