import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describeWith } from '../servers/describe-with';
import { connectToGcs, describeWithGcs, startGcsServer } from '../servers/fake-gcs';
import { describeWithHelm, findHelm, helm } from '../servers/helm';
import { helmPath } from '../servers/paths';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';
import { connectToS3, describeWithS3, startS3Server } from '../servers/versitygw';
import { program, scratchFolder } from './scratch';

describe('a suite whose server is missing', () => {
  const before = process.env['CI'];
  const registered: [string, () => void][] = [];
  const note = (name: string, body?: unknown): void => void registered.push([name, body as () => void]);
  const { describe: realDescribe, test: realTest } = globalThis;

  beforeEach(() => {
    registered.length = 0;
    Object.assign(globalThis, {
      describe: Object.assign((name: string, body: () => void) => body(), { skip: note }),
      test: note,
    });
  });
  afterEach(() => {
    Object.assign(globalThis, { describe: realDescribe, test: realTest });
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });

  realTest("is skipped, with the reason, at a contributor's desk", () => {
    delete process.env['CI'];
    describeWith('Go is not installed', 'S3', () => undefined);
    expect(registered[0]?.[0]).toBe('S3 (skipped: Go is not installed)');
  });

  realTest('fails in CI', () => {
    process.env['CI'] = 'true';
    describeWith('Go is not installed', 'S3', () => undefined);
    expect(() => registered[0]?.[1]()).toThrow('Go is not installed');
  });
});

describeWithTemporal('the shared Temporal server', () => {
  test('gives each test file a separate namespace, with the search attributes', async () => {
    const server = await connectToTestServer();
    try {
      const namespaces = [await server.createNamespace(), await server.createNamespace()];
      expect(new Set(namespaces).size).toBe(2);
      for (const namespace of namespaces) {
        const listed = await server.connection.operatorService.listSearchAttributes({ namespace });
        expect(Object.keys(listed.customAttributes ?? {})).toContain('FederationOutcome');
        const handle = await server
          .client(namespace)
          .workflow.start('anything', { taskQueue: 'q', workflowId: 'one' });
        expect((await handle.describe()).status.name).toBe('RUNNING');
      }
    } finally {
      await server.close();
    }
  });
});

describeWithS3('the S3 server', () => {
  test('is shared by test files, a bucket each', async () => {
    const s3 = await connectToS3();
    await s3.createBucket('of-this-file');
    await expect(s3.createBucket('of-this-file')).rejects.toThrow();
  });

  test('can be started for one test, and is gone with its folder', async () => {
    const rootDir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-own-s3-'));
    const s3 = await startS3Server({ rootDir, temporary: true });
    await s3.createBucket('mine');
    await s3.stop();
    await expect(s3.createBucket('another')).rejects.toThrow(/ECONNREFUSED/);
  });
});

describeWithGcs('the GCS server', () => {
  test('is shared by test files, a bucket each', async () => {
    const gcs = await connectToGcs();
    await gcs.createBucket('of-this-file');
    await expect(gcs.createBucket('of-this-file')).rejects.toThrow('of-this-file');
  });

  test('can be started for one test', async () => {
    const gcs = await startGcsServer();
    await gcs.createBucket('mine');
    await gcs.stop();
    await expect(gcs.createBucket('another')).rejects.toThrow();
  });
});

describe('finding Helm', () => {
  const scratch = scratchFolder();
  const at = (...names: string[]): string => path.join(scratch(), ...names);
  const helmOf = (version: string, ...names: string[]): string => program(at(...names), `echo ${version}`);

  test('skips a Helm 3, and prefers HELM to the PATH to the cache', async () => {
    const env = { PATH: [at('old'), at('new')].join(path.delimiter), XDG_CACHE_HOME: at('cache') };
    const said: string[] = [];
    const find = (more: NodeJS.ProcessEnv = {}): Promise<string> =>
      findHelm({ env: { ...env, ...more }, say: (line) => void said.push(line) });
    const old = helmOf('v3.18.4+gd80839c', 'old', 'helm');
    await expect(find()).rejects.toThrow(/helm, which the tests need.*Go is not installed/s);
    const cached = helmOf('v4.3.1', 'cache', 'federated-etl', 'helm', helm.version, 'helm');
    expect(await find()).toBe(cached);
    expect(said).toContain(`Skipping ${old}: it is too old: \`helm version --short\` lacks v4.`);
    const onPath = helmOf('v4.0.0', 'new', 'helm');
    expect(await find()).toBe(onPath);
    const chosen = helmOf('v4.3.1', 'chosen');
    expect(await find({ HELM: chosen })).toBe(chosen);
  });
});

describeWithHelm('Helm', () => {
  test('is a Helm 4', () => {
    const version = execFileSync(helmPath(), ['version', '--short'], { encoding: 'utf8' });
    expect(version).toMatch(/^v4\./);
  });
});
