import { createHash } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { readNewestGeneration } from '../../activities/read-generations';
import { clusterId } from '../../etl/cluster-id';
import { decodeSet } from '../../etl/file';
import { parseWindowId, type WindowId } from '../../etl/window';
import { clusterEtlKey, combinedEtlKey, objectKey } from '../../federation/layout';
import { startFederation } from '../../operator/start-federation';
import { checkUnion } from '../../scripts/demo/check-union';
import { type ClusterProcess, startCluster } from '../../scripts/demo/cluster-process';
import type { Bucket } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import type { FederationSummary } from '../../workflows/federation';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';
import { type FederatorPlace, rebuiltBytes, writeFederator } from './five-clusters';

const golden = path.join(__dirname, '..', 'golden', 'bucket', 'federated');
const changed = 'allocations/1d/1794614400-1794700800' as WindowId;

/** Two running federators that share a bucket with the golden files of five clusters. */
class TwoFederators {
  private constructor(
    private readonly dir: string,
    readonly bucket: Bucket,
    readonly running: readonly ClusterProcess[],
  ) {}

  static async start(places: Readonly<Record<'east' | 'west', FederatorPlace>>): Promise<TwoFederators> {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-two-'));
    await cp(golden, path.join(dir, 'bucket', 'federated'), { recursive: true });
    const running = [];
    for (const [id, place] of Object.entries(places))
      running.push(await startCluster(await writeFederator(dir, id, place), await builtProgram()));
    return new TwoFederators(dir, await openBucketFromFile(path.join(dir, 'federated-store.yaml')), running);
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map((federator) => federator.stop()));
    await this.bucket.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Runs two federators in one Temporal namespace. They share the roster. */
describeWithTemporal('two federators in one namespace', () => {
  let server: TestServer;
  let two: TwoFederators;
  let client: ReturnType<TestServer['client']>;

  beforeAll(async () => {
    server = await connectToTestServer();
    const namespace = await server.createNamespace();
    client = server.client(namespace);
    const temporal = { address: server.address, namespace };
    const times = { firstRunAfter: '1h', runEvery: '1h' };
    two = await TwoFederators.start({ east: { temporal, ...times }, west: { temporal, ...times } });
  });

  afterAll(async () => {
    await two?.close();
    await server?.close();
  });

  const federate = async (): Promise<FederationSummary> => {
    const run = await startFederation(client, '', { trigger: 'person', at: new Date().toISOString() });
    return (await client.workflow.getHandle(run).result()) as FederationSummary;
  };

  test('the one that is left commits the exclusion of a cluster after the other one died', async () => {
    expect(await federate()).toMatchObject({ outcome: 'complete', clusters: 5 });
    const first = (await readNewestGeneration(two.bucket))?.membership;
    const dead = two.running.find(({ cluster }) => cluster.id === first?.federator);
    if (dead === undefined) throw new Error(`there is no federator ${first?.federator}`);
    process.kill(dead.pid, 'SIGKILL');
    await dead.ended;
    await client.workflow.getHandle('roster').signal('excludeCluster', { cluster: 'cluster-2' });
    expect(await federate()).toMatchObject({ outcome: 'complete', clusters: 4 });
    const second = (await readNewestGeneration(two.bucket))?.membership;
    expect(second).toMatchObject({
      federator: dead.cluster.id === 'east' ? 'west' : 'east',
      roster: first?.roster,
      excluded: { 'cluster-2': { by: 'person' } },
    });
  });
});

/** Runs two federators in separate Temporal namespaces. They share only the bucket. */
describeWithTemporal('two federators on one bucket', () => {
  let server: TestServer;
  let two: TwoFederators;
  let bucket: Bucket;
  const namespaces: string[] = [];

  beforeAll(async () => {
    server = await connectToTestServer();
    const place = async () => {
      const namespace = await server.createNamespace();
      namespaces.push(namespace);
      // The schedule of each federator starts a run every four seconds.
      return {
        temporal: { address: server.address, namespace },
        firstRunAfter: '2s',
        runEvery: '4s',
      };
    };
    two = await TwoFederators.start({ east: await place(), west: await place() });
    ({ bucket } = two);
  });

  afterAll(async () => {
    await two?.close();
    await server?.close();
  });

  test('keep the combined set complete at every moment, and correct in the end', async () => {
    await until('a first generation', () => readNewestGeneration(bucket));
    const seen = new Set<number>();
    const own = (await readAll(bucket, clusterEtlKey(clusterId('cluster-1'), changed))).bytes;
    for (let change = 1; change <= 4; change++) {
      await bucket.put(clusterEtlKey(clusterId('cluster-1'), changed), rebuiltBytes(changed, own, change));
      await until(`change ${change} is published`, async () => {
        seen.add(await checkWhole(bucket));
        return (
          (await checkUnion(bucket, ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5']))
            .differences.length === 0
        );
      });
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
  });

  test('runs of one schedule never overlap, and start on time', async () => {
    const [namespace = ''] = namespaces;
    const runs: { start: number; end: number }[] = [];
    for await (const run of server
      .client(namespace)
      .workflow.list({ query: "WorkflowType = 'federation'" })) {
      if (run.closeTime !== undefined)
        runs.push({ start: run.startTime.getTime(), end: run.closeTime.getTime() });
    }
    runs.sort((a, b) => a.start - b.start);
    expect(runs.length).toBeGreaterThanOrEqual(2);
    for (const [index, run] of runs.entries()) {
      const next = runs[index + 1];
      if (next !== undefined) expect(next.start).toBeGreaterThanOrEqual(run.end);
    }
  });

  test('with different rosters the second fails and names both, until it takes over', async () => {
    const [east = '', west = ''] = namespaces;
    for (const namespace of [east, west])
      await server.client(namespace).schedule.getHandle('federation').pause('the test decides');
    await server.client(west).workflow.getHandle('roster').signal('excludeCluster', { cluster: 'cluster-2' });
    const run = async (takeOver: boolean): Promise<WorkflowHandle> => {
      const request = {
        trigger: 'person',
        at: new Date().toISOString(),
        ...(takeOver ? { takeOver } : {}),
      } as const;
      return server.client(west).workflow.getHandle(await startFederation(server.client(west), '', request));
    };
    const { federator } = (await readNewestGeneration(bucket))?.membership ?? {};
    if (federator === 'west') {
      // For the rest of the test, the newest generation must be from the federator `east`. So let `east` commit one.
      await server
        .client(east)
        .workflow.getHandle('roster')
        .signal('excludeCluster', { cluster: 'cluster-1' });
      const request = { trigger: 'person', at: new Date().toISOString(), takeOver: true } as const;
      await server
        .client(east)
        .workflow.getHandle(await startFederation(server.client(east), '', request))
        .result();
    }
    await expect((await run(false)).result()).rejects.toMatchObject({
      cause: {
        type: 'FEDERATOR_CONFLICT',
        message: expect.stringMatching(/federator of east\..*another roster than the federator of west/),
      },
    });
    expect((await (await run(true)).result()) as FederationSummary).toMatchObject({
      outcome: 'complete',
      clusters: 4,
    });
    expect((await readNewestGeneration(bucket))?.membership.federator).toBe('west');
  });
});

/**
 * Checks that all files of the newest generation are complete: the merged objects, which primaries read, and the
 * published copies, which other programs read. Returns the number of the generation.
 */
async function checkWhole(bucket: Bucket): Promise<number> {
  const generation = await readNewestGeneration(bucket);
  if (generation === undefined) throw new Error('the generations are gone');
  for (const [window, { fingerprint, digest }] of Object.entries(generation.windows)) {
    const { bytes } = await readAll(bucket, objectKey(fingerprint));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
    const pipeline = parseWindowId(window)?.pipeline ?? 'assets';
    decodeSet(pipeline, (await readAll(bucket, combinedEtlKey(window as WindowId))).bytes);
  }
  return generation.generation;
}
