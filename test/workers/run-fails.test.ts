import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type GrpcProxy, startGrpcProxy } from '../servers/grpc-proxy';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

interface Line {
  readonly level: string;
  readonly event: string;
  readonly code?: string;
  readonly hint?: string;
  readonly msg: string;
  readonly sdkComponent?: string;
  readonly error?: string;
}

describeWithTemporal('a process whose log is JSON', () => {
  let server: TestServer;
  let proxy: GrpcProxy;
  let folder: string;
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    server = await connectToTestServer();
    folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-run-'));
    await mkdir(path.join(folder, 'bucket'));
    await cp(path.join(__dirname, '../golden/bucket/federated/cluster-1/etl'), path.join(folder, 'etl'), {
      recursive: true,
    });
    const store = { type: 'FILESYSTEM', config: { directory: path.join(folder, 'bucket') } };
    await writeFile(path.join(folder, 'store.yaml'), stringify(store));
  });
  beforeEach(async () => {
    proxy = await startGrpcProxy(server.address);
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await proxy.close();
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /**
   * Starts `run`. `lines` returns all lines that the process has written to standard output or standard error, parsed
   * as JSON.
   */
  async function start(settings: { localEtl: string; federator?: boolean }) {
    const file = path.join(folder, 'federated-etl.yaml');
    await writeFile(
      file,
      stringify({
        clusterId: 'c1',
        federatedETL: { federatedCluster: true, federator: { enabled: settings.federator ?? false } },
        storage: { configFile: 'store.yaml' },
        localEtl: { path: settings.localEtl },
        temporal: { address: proxy.address, namespace: await server.createNamespace() },
        health: { listen: '127.0.0.1:0' },
        log: { format: 'json' },
      }),
    );
    const started = spawn(process.execPath, [await builtProgram(), 'run', '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    let written = '';
    for (const output of [started.stdout, started.stderr])
      output.setEncoding('utf8').on('data', (text: string) => (written += text));
    const ended = new Promise<number | null>((resolve) => started.once('close', resolve));
    const lines = () =>
      written
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const limits = { process: started, output: () => written };
    return { started, ended, lines, limits };
  }

  it('ends with the reason if a role cannot start, even if workers of another role have been created', async () => {
    const { ended, lines } = await start({ localEtl: 'nowhere', federator: true });
    expect(await ended).toBe(1);
    expect(lines().at(-1)).toMatchObject({
      level: 'error',
      event: 'failed',
      code: 'LOCAL_ETL_MISSING',
      hint: expect.stringContaining('localEtl.path'),
    });
  });

  it('ends with the reason if Temporal does not accept its credentials', async () => {
    proxy.answer = () => ({ code: 16, message: 'The key has expired.' });
    const { ended, lines } = await start({ localEtl: 'etl' });
    expect(await ended).toBe(1);
    expect(lines().at(-1)).toMatchObject({
      event: 'failed',
      code: 'TEMPORAL_ACCESS_DENIED',
      msg: `The Temporal server at ${proxy.address} denies this client the request: The key has expired.`,
    });
  });

  it('writes nothing but JSON while Temporal is away, and until it ends', async () => {
    const { started, ended, lines, limits } = await start({ localEtl: 'etl' });
    await until('the start', () => lines().some(({ event }) => event === 'started'), limits);
    await proxy.goAway();
    const core = await until(
      'a line of the native part of the SDK',
      () => lines().find(({ sdkComponent }) => sdkComponent === 'core'),
      limits,
    );
    expect(core).toMatchObject({
      level: 'warn',
      event: 'temporal',
      raw: expect.stringContaining('Status {'),
    });
    expect(core.error).toMatch(/^Una\w+: [\w ,.:]+$/);
    started.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(lines().map(({ event }) => event)).toContain('stopped');
  });
});
