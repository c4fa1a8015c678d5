import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { goldenEngine } from '../query/engine-over';
import { type GrpcProxy, startGrpcProxy } from '../servers/grpc-proxy';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

const unauthenticated = { code: 16, message: 'The key is unknown.' };
const token = 'let-me-act';

describeWithTemporal(
  'a primary that has ingested a generation, restarted without Temporal and its bucket',
  () => {
    let server: TestServer;
    let folder: string;
    let proxy: GrpcProxy;
    let file: string;
    let child: ChildProcess;
    let written = '';

    const bucket = () => path.join(folder, 'bucket');
    const store = () => path.join(folder, 'store.yaml');
    const line = (event: string) =>
      until(
        `a line with the event ${event}`,
        async () =>
          written
            .split('\n')
            .slice(0, -1)
            .map((text) => JSON.parse(text) as { event: string; code?: string; url?: string })
            .findLast((one) => one.event === event),
        { process: child, output: () => written },
      );
    const lines = async () => ({
      api: (await line('api.listening')).url ?? '',
      health: (await line('health.listening')).url ?? '',
    });
    const ready = async (role: string) => {
      const answer = await fetch(`${(await lines()).health}/readyz?role=${role}`);
      // The lines of the conditions follow.
      const [state = ''] = (await answer.text()).split('\n');
      return `${answer.status} ${state}`;
    };
    const query = async () => {
      const { api } = await lines();
      const answer = await fetch(`${api}/model/allocation?window=2026-11-14T00:00:00Z,2026-11-15T00:00:00Z`);
      const { data } = (await answer.json()) as { data: object[] };
      return { status: answer.status, generation: answer.headers.get('x-federated-etl-generation'), data };
    };

    const act = async (given: string) =>
      fetch(`${(await lines()).api}/api/federations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${given}`, 'content-type': 'application/json' },
        body: '{}',
      });

    const demandKey = (key: string) =>
      (proxy.answer = (_, { authorization }) =>
        authorization === `Bearer ${key}` ? undefined : unauthenticated);
    const profile = () => path.join(folder, 'temporal.toml');
    const writeKey = (key: string) =>
      writeFile(profile(), `[profile.default]\napi_key = "${key}"\n[profile.default.tls]\ndisabled = true\n`);

    beforeAll(async () => {
      server = await connectToTestServer();
      folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-alone-'));
      const golden = path.join(__dirname, '../golden/bucket/federated/cluster-1/etl');
      await cp(golden, path.join(folder, 'etl'), { recursive: true });
      const engine = await goldenEngine({ folder: path.join(folder, 'query') });
      engine.close();
      await writeFile(store(), 'type: FILESYSTEM\nconfig: {');
      proxy = await startGrpcProxy(server.address);
      await proxy.close();
      file = path.join(folder, 'federated-etl.yaml');
      const settings = {
        clusterId: 'cluster-1',
        // The process has all three roles. The primary role must become ready without waiting for the other two.
        federatedETL: { federatedCluster: true, primaryCluster: true, federator: { enabled: true } },
        storage: { configFile: 'store.yaml' },
        localEtl: { path: 'etl' },
        query: { path: 'query' },
        temporal: { address: proxy.address, namespace: await server.createNamespace() },
        api: { listen: '127.0.0.1:0', token },
        health: { listen: '127.0.0.1:0' },
        log: { format: 'json' },
      };
      await writeFile(file, stringify(settings));
      await writeKey('first');
      child = spawn(process.execPath, [await builtProgram(), 'run', '--config', file], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TEMPORAL_CONFIG_FILE: profile() },
      });
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (written += text));
    });
    afterAll(async () => {
      child?.kill('SIGKILL');
      await proxy?.close();
      await server?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('answers queries and is ready while the file of its store is invalid, and says so', async () => {
      const isServed = async () => {
        expect(await ready('primaryCluster')).toBe('200 primaryCluster: ready');
        expect((await query()).status).toBe(200);
      };
      await isServed();
      expect((await line('storage.unusable')).code).toBe('STORE_CONFIG_INVALID');
      for (const role of ['federator', 'federatedCluster'])
        expect(await ready(role)).toBe(`503 ${role}: waits for a valid ${store()}`);
      const { api, health } = await lines();
      await until('the condition', async () =>
        (await (await fetch(`${health}/readyz`)).text()).includes(
          'primaryCluster.store: STORE_CONFIG_INVALID: ',
        ),
      );
      expect(await (await fetch(`${api}/api/status`)).text()).toContain('STORE_CONFIG_INVALID');
      await isServed();
      await writeFile(store(), stringify({ type: 'FILESYSTEM', config: { directory: bucket() } }));
      await line('storage.renewed');
    });

    it('answers queries and is ready, and refuses at once what needs Temporal', async () => {
      expect(await ready('primaryCluster')).toBe('200 primaryCluster: ready');
      const { status, generation, data } = await query();
      expect([status, generation]).toEqual([200, '7']);
      expect(Object.keys(data[0] ?? {})).not.toHaveLength(0);
      expect((await line('temporal.unavailable')).code).toBe('TEMPORAL_UNAVAILABLE');
      for (const role of ['federator', 'federatedCluster'])
        expect(await ready(role)).toBe(`503 ${role}: waits for Temporal at ${proxy.address}`);
      const refused = await act(token);
      expect(refused.status).toBe(502);
      expect(await refused.text()).toContain('TEMPORAL_UNAVAILABLE');
    });

    it('accepts the token that its settings file has now', async () => {
      await writeFile(file, (await readFile(file, 'utf8')).replace(token, 'let-me-act-again'));
      await line('settings.renewed');
      expect((await act(token)).status).toBe(401);
      expect((await act('let-me-act-again')).status).toBe(502);
    });

    it('goes on while Temporal does not accept its key', async () => {
      proxy = await startGrpcProxy(server.address, Number(proxy.address.split(':')[1]));
      demandKey('second');
      await until(
        'a refusal',
        async () => (await line('temporal.unavailable')).code === 'TEMPORAL_ACCESS_DENIED',
      );
      expect(await ready('primaryCluster')).toBe('200 primaryCluster: ready');
      expect((await query()).status).toBe(200);
    });

    it('pulls once the bucket is back and the file with the key has been corrected', async () => {
      await mkdir(bucket());
      await writeKey('second');
      const { health } = await lines();
      await until('a pull', async () =>
        (await (await fetch(`${health}/metrics`)).text()).includes(
          'federated_etl_activity_seconds_count{activity="pullCombined"',
        ),
      );
      for (const role of ['federator', 'federatedCluster', 'primaryCluster'])
        await until(`the role ${role}`, async () => (await ready(role)) === `200 ${role}: ready`);
      expect((await query()).generation).toBe('7');
    });

    it('works on with another key once Temporal accepts only that one', async () => {
      demandKey('third');
      await until('a role without access', async () => (await ready('federator')).startsWith('503'));
      await writeKey('third');
      await line('temporal.renewed');
      for (const role of ['federator', 'federatedCluster', 'primaryCluster'])
        await until(`the role ${role}`, async () => (await ready(role)) === `200 ${role}: ready`);
    });
  },
);
