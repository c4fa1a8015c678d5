import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readNewestGeneration } from '../../activities/read-generations';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet, encodeSet } from '../../etl/file';
import { type WindowId, windowId } from '../../etl/window';
import { clusterEtlKey, combinedEtlKey } from '../../federation/layout';
import type { FederationRequest, RunOutcome } from '../../federation/run';
import type { Operator } from '../../operator/operator';
import { failedSinceTheLastCommit, replayRequest } from '../../operator/replay';
import { readRuns, type Run } from '../../operator/runs';
import { startFederation } from '../../operator/start-federation';
import { listTemporalRuns } from '../../operator/temporal-runs';
import { shiftSet } from '../../scripts/demo/shift-set';
import type { Bucket } from '../../storage/bucket';
import { countCall } from '../../storage/count-calls';
import { openS3 } from '../../storage/drivers/s3';
import { s3Config } from '../../storage/drivers/s3-config';
import { readAll } from '../../storage/read-all';
import { withMetrics } from '../../storage/with-metrics';
import { withRetry } from '../../storage/with-retry';
import { watchLastFederations } from '../../workers/last-federations';
import type { FederationSummary } from '../../workflows/federation';
import { federatedBucket, golden, TestFederator, testMergeThreads } from '../activities/federated-bucket';
import { runs } from '../etl/run-counts';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { type FaultProxy, startFaultProxy } from '../storage/fault-proxy';
import { until } from '../until';
import { type FederatorHere, startFederatorHere } from './federator-here';
import {
  failingFolder,
  failingS3,
  type Fault,
  faults,
  type Phase,
  phases,
  Trouble,
  withFewAttempts,
} from './store-faults';

type StoreName = 'a folder' | 'S3';
interface Cell {
  readonly fault: Fault;
  readonly phase: Phase;
  readonly store: StoreName;
}

/** A failure of a store during a federation. */
interface Failing {
  readonly phase: Phase;
  /** Code of the error that the failure causes. */
  readonly code: string;
  readonly fail: () => unknown;
  readonly mend: () => unknown;
  /** True if the store writes the run's report, but its answer to the write is lost. (Default: false) */
  readonly reported?: boolean;
}

const storeNames: readonly StoreName[] = ['a folder', 'S3'];
const faultNames = Object.keys(faults) as Fault[];
const phaseNames = Object.keys(phases) as Phase[];
/** The first phase after the commit. A fault in this phase or a later one does not make the run fail. */
const firstAfterCommit = phaseNames.indexOf('publish');

/**
 * Combinations of a fault, a phase and a store. Quick runs test a selection that contains every fault, phase and store.
 */
const cells: readonly Cell[] = runs(
  [
    ...phaseNames.map((phase, at) => ({
      phase,
      fault: faultNames[at % faultNames.length] ?? 'away',
      store: storeNames[(at + Math.floor(at / faultNames.length)) % 2] ?? 'S3',
    })),
    // In this combination, the run can write its report, but not its request.
    { fault: 'refused', phase: 'recording the request', store: 'a folder' },
  ],
  faultNames.flatMap((fault) =>
    phaseNames.flatMap((phase) => storeNames.map((store) => ({ fault, phase, store }))),
  ),
);

/** Combinations of a fault, a phase and a store in which the fault soon passes. */
const passing: readonly Cell[] = runs(
  [
    { fault: 'throttled', phase: 'listing', store: 'S3' },
    { fault: '5xx', phase: 'publish', store: 'S3' },
    { fault: 'cut', phase: 'commit', store: 'a folder' },
  ],
  (['throttled', '5xx', 'cut'] as const).flatMap((fault) =>
    phaseNames.flatMap((phase) => storeNames.map((store) => ({ fault, phase, store }))),
  ),
);

const all = [...cells, ...passing];

const codes: Record<Fault, string> = {
  away: 'STORAGE_BUCKET_NOT_FOUND',
  refused: 'STORAGE_ACCESS_DENIED',
  full: 'STORAGE_QUOTA_EXCEEDED',
  throttled: 'STORAGE_THROTTLED',
  '5xx': 'STORAGE_UNAVAILABLE',
  cut: 'STORAGE_UNAVAILABLE',
};

/** Maximum number of attempts of each activity. Before the second attempt, Temporal waits for a second. */
const attempts = runs(1, 2);

const hour = 3_600;
const firstStart = 1_794_816_000;
const clusters = ['cluster-3', 'cluster-4'];

/** Returns the window that the nth federation on a store merges. */
function nthWindow(n: number): WindowId {
  const start = firstStart + n * hour;
  return windowId({ pipeline: 'assets', resolution: '1h', window: { start, end: start + hour } });
}

/** Pushes each cluster's file for the nth window. */
async function pushNth(bucket: Bucket, n: number): Promise<void> {
  for (const cluster of clusters) {
    const key = (at: number) => clusterEtlKey(clusterId(cluster), nthWindow(at));
    const set = decodeSet('assets', await readFile(join(golden, 'bucket', key(0))));
    await bucket.put(key(n), encodeSet(shiftSet(set, n * hour)));
  }
}

/** A store that fails on demand, and the federator that uses it. */
class World {
  trouble: Trouble | undefined;
  pushed = 0;
  readonly operator: Operator;

  constructor(
    /** The store without the faults. */
    readonly store: Bucket,
    readonly federator: FederatorHere,
    setTrouble: (trouble: () => Trouble | undefined) => void,
  ) {
    setTrouble(() => this.trouble);
    const { settings, names, bucket, client } = federator.context;
    this.operator = { settings, names, bucket: async () => bucket, temporal: async () => ({ client }) };
  }

  get idPrefix(): string {
    return this.federator.context.settings.temporal.idPrefix;
  }

  async ended(run: string): Promise<FederationSummary | ApplicationFailure> {
    const handle = this.federator.context.client.workflow.getHandle(run);
    try {
      return (await handle.result()) as FederationSummary;
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure)
        return error.cause;
      throw error;
    }
  }

  /** Waits until Temporal lists no run as running. Otherwise, the next run would wait for seconds. */
  async idle(): Promise<void> {
    await until('no run', async () => {
      const all = await listTemporalRuns(this.federator.context.client, this.idPrefix, 100);
      return all.every(({ outcome }) => outcome !== 'running');
    });
  }

  /**
   * Waits until a run has ended. Returns its entry in the list of `runs`, or of `runs --failed` if `failed` is true.
   */
  async listed(run: string, failed: boolean): Promise<Run | undefined> {
    await this.idle();
    return (await readRuns(this.operator, 5, failed)).runs.find((one) => one.run === run);
  }

  /** Returns when the last federation with each outcome ended, as the federator's gauges show it. */
  async gauges(): Promise<ReadonlyMap<RunOutcome, number>> {
    const { context } = this.federator;
    const looked = Promise.withResolvers<ReadonlyMap<RunOutcome, number>>();
    const metrics = { ...context.metrics, federationsEndedAt: looked.resolve };
    const stop = watchLastFederations({ ...context, metrics });
    return looked.promise.finally(stop);
  }

  /** Returns how many federations have ended with the given outcome, according to the federator's metric. */
  async counted(outcome: RunOutcome): Promise<number> {
    const { registry } = this.federator.context;
    const counter = await registry.getSingleMetric('federated_etl_federations_total')?.get();
    return counter?.values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  }

  async generation(): Promise<number> {
    return (await readNewestGeneration(this.store))?.generation ?? 0;
  }
}

const threads = testMergeThreads();

describeWithS3('a store that fails', () => {
  describeWithTemporal('in the middle of a federation', () => {
    let server: TestServer;
    let proxy: FaultProxy;
    let folder: string;
    let worlds: Record<StoreName, World>;
    /** The combined file of each window, as merged by a federation whose store does not fail. */
    const undisturbed = new Map<WindowId, Buffer>();

    beforeAll(async () => {
      // Turn off the workers' log: it would describe at length the errors that these tests cause on purpose.
      Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
      server = await connectToTestServer();
      const namespace = await server.createNamespace();
      folder = await mkdtemp(join(tmpdir(), 'federated-etl-fails-'));
      const hurried = { firstPauseMs: 1, longestPauseMs: 1, budget: Infinity };
      const open = (bucket: Bucket, idPrefix: string) =>
        startFederatorHere(server, {
          namespace,
          idPrefix,
          folder,
          bucket: withFewAttempts(withRetry(withMetrics(bucket, countCall), hurried), attempts),
        });

      const s3 = await connectToS3();
      const bucketName = `b-${randomUUID()}`;
      await s3.createBucket(bucketName);
      const target = new URL(s3.endpoint);
      proxy = await startFaultProxy({ hostname: target.hostname, port: Number(target.port) });
      const inS3 = (endpoint?: object) =>
        openS3(s3Config.parse({ ...s3Settings(s3, bucketName), ...endpoint }));
      const inFolder = federatedBucket({ empty: true });
      let ofFolder: () => Trouble | undefined = () => undefined;
      worlds = {
        'a folder': new World(
          inFolder,
          await open(
            failingFolder(inFolder, () => ofFolder()),
            'folder-',
          ),
          (trouble) => (ofFolder = trouble),
        ),
        S3: new World(await inS3(), await open(await inS3({ endpoint: proxy.host }), 's3-'), (trouble) =>
          proxy.plan((request) => failingS3(request, trouble())),
        ),
      };

      const twin = new TestFederator(federatedBucket({ empty: true }), threads);
      const most =
        1 + 2 + Math.max(...storeNames.map((name) => all.filter(({ store }) => store === name).length));
      const numbers = Array.from({ length: most }, (_, n) => n);
      await mapConcurrently(numbers, 8, (n) => pushNth(twin.bucket, n));
      await twin.federate();
      for (const n of numbers) {
        const { bytes } = await readAll(twin.bucket, combinedEtlKey(nthWindow(n)));
        undisturbed.set(nthWindow(n), bytes);
      }
      for (const world of Object.values(worlds)) {
        await push(world);
        expect(await world.ended(await start(world))).toMatchObject({ outcome: 'complete', generation: 1 });
        await expectUndisturbed(world);
      }
    });
    afterAll(async () => {
      for (const { federator, store } of Object.values(worlds ?? {})) {
        await federator.close();
        await store.close();
      }
      await proxy?.close();
      await server?.close();
      await rm(folder, { recursive: true, force: true });
    });

    afterEach(() => {
      becomeOriginal();
      for (const world of Object.values(worlds ?? {})) world.trouble = undefined;
    });

    /** Pushes the files of the next window. */
    async function push(world: World): Promise<void> {
      await pushNth(world.store, world.pushed++);
    }

    async function start(world: World, request?: FederationRequest): Promise<string> {
      await world.idle();
      const asked = request ?? { trigger: 'person', at: new Date().toISOString() };
      return startFederation(world.federator.context.client, world.idPrefix, asked);
    }

    /**
     * Expects that the newest generation has all windows, and that the file published for the newest window is correct.
     */
    async function expectUndisturbed({ store, pushed }: World): Promise<void> {
      const windows = Array.from({ length: pushed }, (_, n) => nthWindow(n));
      expect(Object.keys((await readNewestGeneration(store))?.windows ?? {}).sort()).toEqual(windows.sort());
      const newest = nthWindow(pushed - 1);
      const { bytes } = await readAll(store, combinedEtlKey(newest));
      expect(bytes.equals(undisturbed.get(newest) ?? Buffer.alloc(0))).toBe(true);
    }

    it.each(passing)('$fault twice while $phase on $store: is survived', async ({ fault, phase, store }) => {
      const world = worlds[store];
      const generation = await world.generation();
      world.trouble = new Trouble(fault, phase, 2);
      await push(world);
      expect(await world.ended(await start(world))).toMatchObject({
        outcome: 'complete',
        generation: generation + 1,
      });
      expect(world.trouble.begun).toBe(true);
      await expectUndisturbed(world);
    });

    /**
     * Makes the store fail by calling `fail`, and federates. Expects the run to be listed and counted. Then repairs the
     * store by calling `mend`. Expects the run to be listed still, and a replay to produce the result that the run
     * would have had without the failure.
     */
    async function expectMadeGood(
      world: World,
      { phase, code, fail, mend, reported = false }: Failing,
    ): Promise<void> {
      const committed = phaseNames.indexOf(phase) >= firstAfterCommit;
      const outcome = committed ? 'partial' : 'failed';
      const before = { generation: await world.generation(), ends: await world.counted(outcome) };
      await push(world);
      await fail();
      const run = await start(world);
      expect(await world.ended(run)).toMatchObject(committed ? { outcome } : { type: code });

      // Until it is repaired, the store may contain nothing about the run. The run must be listed nevertheless.
      const seen = await world.listed(run, !committed);
      expect(seen).toMatchObject({ outcome, request: { trigger: 'person' } });
      if (!committed) expect(seen?.error).toMatchObject({ code });
      await until('the counter', async () => (await world.counted(outcome)) === before.ends + 1);
      expect((await world.gauges()).get(outcome)).toBe(Date.parse(seen?.endedAt ?? ''));

      await mend();
      const afterwards = reported ? 'complete' : outcome;
      expect(await world.listed(run, !committed)).toMatchObject({ outcome: afterwards });
      const { requests } = await failedSinceTheLastCommit(world.operator);
      expect(requests.map(({ replayOf }) => replayOf)).toEqual(committed ? [] : [run]);
      const [request = await replayRequest(world.operator, run)] = requests;
      const replay = await start(world, request);
      expect(await world.ended(replay)).toMatchObject({
        outcome: 'complete',
        generation: before.generation + 1,
      });

      await expectUndisturbed(world);
      expect(await failedSinceTheLastCommit(world.operator)).toMatchObject({ requests: [], unrecorded: [] });
      // The replay has written the report that the run could not write.
      const report = (await world.listed(run, !committed))?.report;
      expect(report).toMatchObject({ outcome: afterwards });
      if (afterwards === 'partial')
        expect(report?.unfinished.join()).toMatch(new RegExp(`^${steps[phase]}: ${code}: `));
    }

    it.each(cells)(
      '$fault while $phase on $store: can be seen, and is made good by a replay',
      async ({ fault, phase, store }) => {
        const world = worlds[store];
        const trouble = new Trouble(fault, phase);
        await expectMadeGood(world, {
          phase,
          code: codes[fault],
          fail: () => (world.trouble = trouble),
          mend: () => (world.trouble = undefined),
          reported: fault === 'cut' && phase === 'report',
        });
        expect(trouble.begun).toBe(true);
      },
    );

    // Root may read and write everything. So if these tests run as root, they switch to another user while the store
    // fails.
    it.each([
      ['a folder that may not be written', 'recording the request', '', 0o555, 0o755],
      ['a folder that may not be read', 'reading', `federated/cluster-3/etl/bingen`, 0o000, 0o755],
    ] as const)('%s: can be seen, and is made good by a replay', async (_, phase, below, mode, usual) => {
      const world = worlds['a folder'];
      const root = fileURLToPath(world.store.label);
      await changeFolders(root, 0o777);
      await expectMadeGood(world, {
        phase,
        code: codes.refused,
        fail: async () => {
          await changeFolders(join(root, below), mode);
          becomeOrdinary();
        },
        mend: async () => {
          becomeOriginal();
          await changeFolders(join(root, below), usual);
        },
      });
    });
  });
});

/** For each phase after the commit, its name in the list of unfinished steps in a run's report. */
const steps: Partial<Record<Phase, string>> = {
  publish: 'publish',
  'clean-up': 'clean up',
  report: 'report',
};

/** Changes the mode of a folder and of all folders below it. */
async function changeFolders(root: string, mode: number): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), mode);
  await chmod(root, mode);
}

const isRoot = process.geteuid?.() === 0;
const nobody = 65_534;

/** If this process runs as root, makes it run as another user, so that file permissions apply to it. */
function becomeOrdinary(): void {
  if (isRoot) process.seteuid?.(nobody);
}

function becomeOriginal(): void {
  if (isRoot) process.seteuid?.(0);
}
