import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { RunSummary } from '../../operator/runs';
import { startFederation } from '../../operator/start-federation';
import { checkUnion } from '../../scripts/demo/check-union';
import { type ClusterProcess, startCluster } from '../../scripts/demo/cluster-process';
import type { DemoCluster } from '../../scripts/demo/clusters';
import { openBucketFromFile } from '../../storage/open-bucket';
import { type RosterState, rosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { runMain } from '../scripts/run-main';
import { clearSettings } from '../servers/clear-environment';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';
import { writeFederator } from './five-clusters';

const golden = path.join(__dirname, '..', 'golden', 'bucket', 'federated');
const clusters = ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4', 'cluster-5'];

clearSettings();

describeWithTemporal('a federation that fails because of its bucket', () => {
  let server: TestServer;
  let namespace: string;
  let dir: string;
  let federator: DemoCluster;
  let running: ClusterProcess | undefined;

  const start = async () => (running = await startCluster(federator, await builtProgram()));
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  const run = (...argv: string[]) => runMain(...argv, '--config', federator.config);
  const failed = async () =>
    (JSON.parse((await run('runs', '--failed', '--json')).out) as { runs: RunSummary[] }).runs;
  const failedRun = (name: string, outcome: RunSummary['outcome']) =>
    until(`${name} in the list`, async () =>
      (await failed()).find((one) => one.run === name && one.outcome === outcome),
    );
  const logged = async () =>
    (await readFile(federator.log, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { event: string; run?: string; code?: string; url?: string });

  /** Federates while the bucket cannot be used. Returns the name of the run, which the error message contains. */
  async function federateInVain(): Promise<string> {
    const { status, err } = await run('federate', '--wait');
    expect(status).toBe(1);
    const [, name] = /`federated-etl replay (\S+)` starts it again/.exec(err) ?? [];
    if (name === undefined) throw new Error(`no advice to replay in: ${err}`);
    return name;
  }

  async function expectWhole(): Promise<void> {
    const bucket = await openBucketFromFile(path.join(dir, 'federated-store.yaml'));
    try {
      expect((await checkUnion(bucket, clusters)).differences).toEqual([]);
    } finally {
      await bucket.close();
    }
  }

  const linesAbout = async (name: string) =>
    (await logged()).filter(({ event, run: about }) => event === 'federation.failed' && about === name);

  /** Returns the value of one of the federator's metrics, or undefined if the metric has no value. */
  async function metric(name: string): Promise<number | undefined> {
    const url = (await logged()).findLast(({ event }) => event === 'health.listening')?.url ?? '';
    const text = await (await fetch(`${url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  }

  beforeAll(async () => {
    server = await connectToTestServer();
    namespace = await server.createNamespace();
    dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-away-'));
    await cp(golden, path.join(dir, 'bucket', 'federated'), { recursive: true });
    const temporal = { address: server.address, namespace };
    federator = await writeFederator(dir, 'f', { temporal, firstRunAfter: '1h', runEvery: '1h' });
    await start();
    // Wait until the roster has read the bucket. If the bucket were gone before that, each run would wait for the
    // roster's next attempt to read it.
    const roster = server.client(namespace).workflow.getHandle(names('').roster);
    await until('the roster', async () => (await roster.query<RosterState>(rosterState)).loaded);
  });
  afterAll(async () => {
    await stop();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('is listed and replayed by name, once the bucket is back', async () => {
    const bucket = path.join(dir, 'bucket');
    await rename(bucket, `${bucket}.away`);
    const name = await federateInVain();
    await failedRun(name, 'failed');
    await rename(`${bucket}.away`, bucket);
    expect(await failedRun(name, 'failed')).toMatchObject({
      trigger: 'person',
      error: { code: 'STORAGE_BUCKET_NOT_FOUND' },
    });
    expect(await run('replay', name, '--wait')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/Federator complete: generation 1, 5 clusters, /),
    });
    await expectWhole();
    expect(await linesAbout(name)).toEqual([
      expect.objectContaining({ level: 'error', code: 'STORAGE_BUCKET_NOT_FOUND', hint: expect.any(String) }),
    ]);
    expect(await metric('federated_etl_federations_total{outcome="failed"}')).toBe(1);
    // The replay has written the report that the failed run could not write.
    const report = path.join(bucket, 'federated/combined/runs', name, 'report.json');
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({ outcome: 'failed' });
    expect(await readFile(federator.log, 'utf8')).not.toContain('"error":{}');
  });

  it('is replayed by --failed if it could write nothing, even once its report is written', async () => {
    const runs = path.join(dir, 'bucket/federated/combined/runs');
    await rename(runs, `${runs}.away`);
    // Put a file in place of the folder. Nothing can be written below a file, not even by root, which ignores
    // permissions.
    await writeFile(runs, '');
    const name = await federateInVain();
    await rm(runs);
    await rename(`${runs}.away`, runs);
    await failedRun(name, 'failed');
    const { status, out } = await run('replay', '--failed', '--wait');
    expect(out).toMatch(/Federator (complete|up to date|nothing)/i);
    expect(status).toBe(0);
    await expectWhole();
  });

  it('is replayed by --failed if it was terminated, and leaves a line in the log', async () => {
    await stop();
    const client = server.client(namespace);
    const name = await startFederation(client, '', {
      trigger: 'person',
      at: new Date().toISOString(),
      full: true,
    });
    await client.workflow.getHandle(name).terminate('by hand');
    const { endedAt = '', ...died } = await failedRun(name, 'died');
    expect(died).toMatchObject({ error: { code: 'RUN_DIED' } });
    await start();
    await until('the metric about the last federation', async () => {
      const seconds = await metric('federated_etl_last_federation_timestamp_seconds{outcome="failed"}');
      return seconds === Date.parse(endedAt) / 1_000;
    });
    const schedule = await client.schedule.getHandle(names('').schedule).describe();
    await until('the metric about the schedule', async () => {
      const seconds = await metric('federated_etl_schedule_since_timestamp_seconds');
      return seconds === schedule.info.createdAt.getTime() / 1_000;
    });
    expect(await run('replay', '--failed', '--wait')).toMatchObject({ status: 0 });
    expect(await failedRun(name, 'failed')).toMatchObject({ error: { code: 'RUN_DIED' } });
    expect(await linesAbout(name)).toEqual([expect.objectContaining({ code: 'RUN_DIED' })]);
    expect((await run('replay', '--failed')).out).toMatch(
      /^No run since federation-\S+-replay, which committed, failed and needs a replay\./,
    );
  });
});
