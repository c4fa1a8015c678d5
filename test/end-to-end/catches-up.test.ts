import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import { clusterEtlKey } from '../../federation/layout';
import { startFederation } from '../../operator/start-federation';
import { type ClusterProcess, startCluster } from '../../scripts/demo/cluster-process';
import type { DemoCluster } from '../../scripts/demo/clusters';
import { startTemporalServer, type TemporalServer } from '../../scripts/set-up/temporal-server';
import { type RosterState, rosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { runMain } from '../scripts/run-main';
import { temporalCliPath } from '../servers/paths';
import { builtProgram } from '../servers/program';
import { describeWithTemporal } from '../servers/temporal';
import { until } from '../until';
import { localFile, rebuild } from './five-clusters';

const golden = path.join(__dirname, '..', 'golden', 'bucket', 'federated', 'cluster-1', 'etl');
const changed = 'allocations/1d/1794614400-1794700800' as WindowId;

/** Runs one cluster that is also the federator. Its bucket is a folder. The test has its own Temporal server. */
describeWithTemporal('a cluster whose environment fails', () => {
  let dir: string;
  let bucket: string;
  let server: TemporalServer;
  let cluster: DemoCluster;
  let running: ClusterProcess | undefined;
  let own: Buffer;
  let program: string;

  const startServer = (port?: number) =>
    startTemporalServer({
      binary: temporalCliPath(),
      headless: true,
      dbFile: path.join(dir, 'temporal.db'),
      logFile: path.join(dir, 'temporal.log'),
      ...(port === undefined ? {} : { preferredPort: port }),
    });
  const remote = () => readFile(path.join(bucket, clusterEtlKey(clusterId('cluster-1'), changed)));
  const pushed = (bytes: Uint8Array) => until('the push', async () => (await remote()).equals(bytes));
  const withClient = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: server.address });
    try {
      return await work(new Client({ connection }));
    } finally {
      await connection.close();
    }
  };

  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-alone-'));
    bucket = path.join(dir, 'bucket');
    await mkdir(bucket);
    [server, program] = await Promise.all([startServer(), builtProgram()]);
    const etl = path.join(dir, 'etl');
    await cp(golden, etl, { recursive: true });
    cluster = await writeCluster('cluster-1', etl);
    own = await readFile(localFile(cluster, changed));
    running = await startCluster(cluster, program);
    await pushed(own);
  });

  afterAll(async () => {
    await running?.stop();
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function writeCluster(name: string, etl: string, primaryCluster = false): Promise<DemoCluster> {
    const store = path.join(dir, 'federated-store.yaml');
    await writeFile(store, stringify({ type: 'FILESYSTEM', config: { directory: bucket } }));
    const config = path.join(dir, `${name}.yaml`);
    const settings = {
      clusterId: 'cluster-1',
      federatedETL: { federatedCluster: true, primaryCluster, federator: { enabled: name === 'cluster-1' } },
      storage: { configFile: store },
      localEtl: { path: etl, rescanEvery: '2s' },
      temporal: { address: server.address, namespace: 'default' },
      api: { listen: '127.0.0.1:0' },
      health: { listen: '127.0.0.1:0' },
    };
    await writeFile(config, stringify(settings));
    return { id: name, roles: {}, config, etl, log: path.join(dir, `${name}.log`) };
  }

  test('another volume with the same cluster id is refused, and pushes nothing', async () => {
    const other = path.join(dir, 'other-etl');
    await cp(golden, other, { recursive: true });
    await rm(path.join(other, '.federated-etl'), { recursive: true, force: true });
    const second = await writeCluster('cluster-1-again', other);
    await rebuild(second, changed, own, 100);
    await expect(startCluster(second, program)).rejects.toMatchObject({
      hint: expect.stringContaining('DUPLICATE_CLUSTER_ID'),
    });
    expect((await remote()).equals(own)).toBe(true);
  });

  test('windows built while Temporal is down are pushed when it is back', async () => {
    const port = Number(server.address.split(':')[1]);
    await server.stop();
    const bytes = await rebuild(cluster, changed, own, 1);
    server = await startServer(port);
    await pushed(bytes);
  });

  test('windows built while the bucket is unavailable are pushed when it is back', async () => {
    const away = `${bucket}-away`;
    await rename(bucket, away);
    const bytes = await rebuild(cluster, changed, own, 2);
    // Wait until a push has failed. Otherwise, the bucket could be restored before any push notices that it is missing.
    await until('a push that fails', async () =>
      (await readFile(cluster.log, 'utf8')).includes('STORAGE_BUCKET_NOT_FOUND'),
    );
    await rename(away, bucket);
    await pushed(bytes);
  });

  test('a deleted copy is restored by the next rescan', async () => {
    const bytes = await remote();
    await rm(path.join(bucket, clusterEtlKey(clusterId('cluster-1'), changed)));
    await pushed(bytes);
  });

  test('a failed federation is replayed as a new run of the same request', async () => {
    // Create a file in place of the folder of merged objects, so that writing a merged object fails.
    const objects = path.join(bucket, 'federated', 'combined', 'objects');
    await rm(objects, { recursive: true, force: true });
    await mkdir(path.dirname(objects), { recursive: true });
    await writeFile(objects, 'in the way');
    const failed = await withClient(async (client) => {
      const run = await startFederation(client, '', {
        trigger: 'person',
        why: 'trying',
        at: new Date().toISOString(),
      });
      await expect(client.workflow.getHandle(run).result()).rejects.toThrow();
      expect((await client.workflow.getHandle(run).describe()).status.name).toBe('FAILED');
      return run;
    });
    expect(await runMain('runs', '--failed', '--config', cluster.config)).toMatchObject({
      out: expect.stringContaining(failed),
    });
    await rm(objects);
    const replayed = await runMain('replay', '--failed', '--wait', '--json', '--config', cluster.config);
    expect(replayed.status).toBe(0);
    const summary = JSON.parse(replayed.out) as { run: string };
    expect(summary).toMatchObject({ outcome: 'complete', generation: 1 });
    await withClient(async (client) => {
      const { memo, typedSearchAttributes } = await client.workflow.getHandle(summary.run).describe();
      expect(memo).toMatchObject({ request: { replayOf: failed } });
      expect(JSON.stringify(typedSearchAttributes)).toContain(failed);
    });
  });

  test('a file that is being written is not pushed before it is complete', async () => {
    const whole = await remote();
    const half = whole.subarray(0, whole.length / 2);
    await writeFile(localFile(cluster, changed), half);
    await until('the half file is seen', async () => (await status()).includes('"count": 1'));
    expect((await remote()).equals(whole)).toBe(true);
    await appendFile(localFile(cluster, changed), whole.subarray(whole.length / 2));
    await until('the whole file is seen', async () => !(await status()).includes('"count": 1'));
    expect((await remote()).equals(whole)).toBe(true);
  });

  test('a role removed from the settings ends at the next start', async () => {
    const pull = (client: Client) => client.workflow.getHandle(names('').pull('cluster-1')).describe();
    const primaries = async (client: Client) =>
      (await client.workflow.getHandle(names('').roster).query<RosterState>(rosterState)).primaries;
    for (const primary of [true, false]) {
      await running?.stop();
      running = await startCluster(await writeCluster('cluster-1', cluster.etl, primary), program);
      await withClient(async (client) => {
        expect((await pull(client)).status.name).toBe(primary ? 'RUNNING' : 'TERMINATED');
        await until(
          'the roster knows',
          async () => (await primaries(client)).includes('cluster-1') === primary,
        );
      });
    }
  });

  test('a cluster shuts down cleanly when its parent process is gone', async () => {
    await running?.stop();
    running = undefined;
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const child = fork(program, ['run', '--config', cluster.config], { stdio: [...stdio] });
    await once(child, 'message');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  const status = async () => (await runMain('status', '--json', '--config', cluster.config)).out;
});
