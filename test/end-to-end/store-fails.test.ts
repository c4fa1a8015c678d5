import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readNewestGeneration } from '../../activities/read-generations';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet, encodeSet } from '../../etl/file';
import { type WindowId, windowId } from '../../etl/window';
import { clusterEtlKey, combinedEtlKey } from '../../federation/layout';
import type { RunOutcome } from '../../federation/run';
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

const storeNames: readonly StoreName[] = ['a folder', 'S3'];
const faultNames = Object.keys(faults) as Fault[];
const phaseNames = Object.keys(phases) as Phase[];
/** The first phase after the commit. From there on, a fault does not make the run fail. */
const firstAfterCommit = phaseNames.indexOf('publish');

/** All cells of the table, or a selection in which each fault, each phase and each store occurs. */
const cells: readonly Cell[] = runs(
  phaseNames.map((phase, at) => ({
    phase,
    fault: faultNames[at % faultNames.length] ?? 'away',
    store: storeNames[(at + Math.floor(at / faultNames.length)) % 2] ?? 'S3',
  })),
  faultNames.flatMap((fault) =>
    phaseNames.flatMap((phase) => storeNames.map((store) => ({ fault, phase, store }))),
  ),
);

const codes: Record<Fault, string> = {
  away: 'STORAGE_BUCKET_NOT_FOUND',
  refused: 'STORAGE_ACCESS_DENIED',
  full: 'STORAGE_QUOTA_EXCEEDED',
  throttled: 'STORAGE_THROTTLED',
  '5xx': 'STORAGE_UNAVAILABLE',
  cut: 'STORAGE_UNAVAILABLE',
};

/** Number of attempts of each activity. The second one costs a second. */
const attempts = runs(1, 2);

const hour = 3_600;
const firstStart = 1_794_816_000;
const clusters = ['cluster-3', 'cluster-4'];

/** Returns the window that the nth federation of a store finds, and merges. */
function nthWindow(n: number): WindowId {
  const start = firstStart + n * hour;
  return windowId({ pipeline: 'assets', resolution: '1h', window: { start, end: start + hour } });
}

/** Pushes the files of all clusters of the nth window. */
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
    /** The store itself, which never fails. */
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

  async listed(run: string, failed = false): Promise<Run> {
    return until(`${run} in the list`, async () =>
      (await readRuns(this.operator, 100, failed)).runs.find(
        (one) => one.run === run && one.outcome !== 'running' && one.endedAt !== undefined,
      ),
    );
  }

  /** Returns when the last federations ended, by outcome, as the federator's gauges show it after its next look. */
  async gauges(): Promise<ReadonlyMap<RunOutcome, number>> {
    const { context } = this.federator;
    const looked = Promise.withResolvers<ReadonlyMap<RunOutcome, number>>();
    const metrics = { ...context.metrics, federationsEndedAt: looked.resolve };
    const stop = watchLastFederations({ ...context, metrics });
    return looked.promise.finally(stop);
  }

  /** Returns how many federations ended with an outcome. */
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
    /** The combined file of each window, as a federation merges it that nothing disturbs. */
    const undisturbed = new Map<WindowId, Buffer>();

    beforeAll(async () => {
      // Turn off the workers' log: it would describe at length the errors that these tests cause on purpose.
      Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
      server = await connectToTestServer();
      const namespace = await server.createNamespace();
      folder = await mkdtemp(join(tmpdir(), 'federated-etl-fails-'));
      const hurried = { firstPauseMs: 1, longestPauseMs: 1, budget: Infinity };
      const start = (bucket: Bucket, idPrefix: string) =>
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
          await start(
            failingFolder(inFolder, () => ofFolder()),
            'folder-',
          ),
          (trouble) => (ofFolder = trouble),
        ),
        S3: new World(await inS3(), await start(await inS3({ endpoint: proxy.host }), 's3-'), (trouble) =>
          proxy.plan((request) => failingS3(request, trouble())),
        ),
      };

      const twin = new TestFederator(federatedBucket({ empty: true }), threads);
      for (let n = 0; n <= cells.length; n++) await pushNth(twin.bucket, n);
      await twin.federate();
      for (let n = 0; n <= cells.length; n++) {
        const { bytes } = await readAll(twin.bucket, combinedEtlKey(nthWindow(n)));
        undisturbed.set(nthWindow(n), bytes);
      }
      for (const world of Object.values(worlds)) {
        const run = await federate(world);
        expect(await world.ended(run)).toMatchObject({ outcome: 'complete', generation: 1 });
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
      for (const world of Object.values(worlds ?? {})) world.trouble = undefined;
    });

    /** Pushes the files of the next window, and starts a federation. */
    async function federate(world: World): Promise<string> {
      await world.idle();
      await pushNth(world.store, world.pushed++);
      return startFederation(world.federator.context.client, world.idPrefix, {
        trigger: 'person',
        at: new Date().toISOString(),
      });
    }

    /** Expects that all windows are combined and published, byte for byte. */
    async function expectUndisturbed({ store, pushed }: World): Promise<void> {
      const windows = Array.from({ length: pushed }, (_, n) => nthWindow(n));
      expect(Object.keys((await readNewestGeneration(store))?.windows ?? {}).sort()).toEqual(windows.sort());
      const newest = nthWindow(pushed - 1);
      const { bytes } = await readAll(store, combinedEtlKey(newest));
      expect(bytes.equals(undisturbed.get(newest) ?? Buffer.alloc(0))).toBe(true);
    }

    it.each(cells)(
      '$fault while $phase on $store: can be seen, and is made good by a replay',
      async (cell) => {
        const { fault, phase } = cell;
        const world = worlds[cell.store];
        const committed = phaseNames.indexOf(phase) >= firstAfterCommit;
        const outcome = committed ? 'partial' : 'failed';
        const before = { generation: await world.generation(), ends: await world.counted(outcome) };

        const trouble = new Trouble(fault, phase);
        world.trouble = trouble;
        const run = await federate(world);
        const end = await world.ended(run);
        expect(trouble.begun).toBe(true);
        expect(end).toMatchObject(committed ? { outcome } : { type: codes[fault] });

        // While it lasts: Temporal alone may know the run.
        const seen = await world.listed(run, !committed);
        expect(seen).toMatchObject({ outcome, request: { trigger: 'person' } });
        if (!committed) expect(seen.error).toMatchObject({ code: codes[fault] });
        await until('the counter', async () => (await world.counted(outcome)) === before.ends + 1);
        expect((await world.gauges()).get(outcome)).toBe(Date.parse(seen.endedAt ?? ''));

        world.trouble = undefined;
        expect(await world.listed(run, !committed)).toMatchObject({ outcome });
        const { requests } = await failedSinceTheLastCommit(world.operator);
        expect(requests.map(({ replayOf }) => replayOf)).toEqual(committed ? [] : [run]);
        const [request = await replayRequest(world.operator, run)] = requests;
        await world.idle();
        const replay = await startFederation(world.federator.context.client, world.idPrefix, request);
        expect(await world.ended(replay)).toMatchObject({
          outcome: 'complete',
          generation: before.generation + 1,
        });

        await expectUndisturbed(world);
        expect(await failedSinceTheLastCommit(world.operator)).toMatchObject({
          requests: [],
          unrecorded: [],
        });
        // The replay has written the report that the run could not write.
        const { report } = await world.listed(run);
        expect(report).toMatchObject({ outcome });
        if (committed)
          expect(report?.unfinished.join()).toMatch(new RegExp(`^${unfinished(phase)}: ${codes[fault]}`));
      },
    );
  });
});

function unfinished(phase: Phase): string {
  return { publish: 'publish', 'clean-up': 'clean up', report: 'report' }[phase as string] ?? '';
}
