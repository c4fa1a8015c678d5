import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { Log } from '../../config/log';
import { loadSettings } from '../../config/settings';
import { connectPatiently } from '../../workers/connect';
import { RenewableTemporal } from '../../workers/renewable-temporal';
import { makeCertificates } from '../servers/certificates';
import { type GrpcProxy, startGrpcProxy } from '../servers/grpc-proxy';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';
import { until } from '../until';

describeWithTemporal('the connections to a Temporal server that demands certificates and a key', () => {
  let server: TestServer;
  let proxy: GrpcProxy;
  beforeAll(async () => {
    server = await connectToTestServer();
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.close();
    await removeTemporaryFolders();
  });

  it('follow the files of both, without a restart', async () => {
    const namespace = await server.createNamespace();
    const [first, second] = [await makeCertificates(), await makeCertificates()];
    proxy = await startGrpcProxy(server.address, 0, {
      ...first.server,
      requestCert: true,
      rejectUnauthorized: true,
    });
    let key = 'one';
    const polls: string[] = [];
    proxy.answer = (called, { authorization }) => {
      if (authorization !== `Bearer ${key}`) return { code: 16, message: 'The key is unknown.' };
      if (called.endsWith('/PollActivityTaskQueue')) polls.push(key);
      return undefined;
    };

    const folder = temporaryFolder();
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    const writeFiles = (files: typeof first.client, apiKey: string) => {
      for (const [name, text] of Object.entries(files)) write(name, text);
      write('temporal.toml', `[profile.default]\napi_key = "${apiKey}"\n`);
    };
    writeFiles(first.client, key);
    write('federated-etl.yaml', 'clusterId: cluster-1\n');
    const read = () =>
      loadSettings({
        file: join(folder, 'federated-etl.yaml'),
        env: {
          TEMPORAL_ADDRESS: proxy.address,
          TEMPORAL_NAMESPACE: namespace,
          TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml'),
          TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'ca'),
          TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'crt'),
          TEMPORAL_TLS_CLIENT_KEY_PATH: join(folder, 'key'),
        },
      }).temporal;
    const lines: { event?: string; code?: string }[] = [];
    const note = (line: object) => void lines.push(line);
    const log = { info: note, warn: note, error: note, debug: note } as unknown as Log;
    const events = () => lines.map(({ event }) => event).filter((event) => event !== 'temporal');

    const temporal = new RenewableTemporal(
      await connectPatiently(read, log, new AbortController().signal),
      log,
    );
    const client = new Client({ connection: temporal.connection, namespace });
    const worker = await Worker.create({
      connection: temporal.native,
      namespace,
      taskQueue: 'q',
      activities: { nothing: async () => undefined },
    });
    const running = worker.run();
    const ask = () => client.withDeadline(Date.now() + 60_000, () => client.workflow.count());
    expect(await ask()).toMatchObject({ count: 0 });
    await until('a poll', async () => polls.includes('one'));
    await temporal.renew(read(), [worker]);
    expect(events()).toEqual([]);

    // The server changes to another authority, certificate and key. The client's files change later, one after another.
    key = 'two';
    proxy.renew({ ...second.server, requestCert: true, rejectUnauthorized: true });
    write('key', second.client.key.slice(0, 40));
    await temporal.renew(read(), [worker]);
    await temporal.renew(read(), [worker]);
    expect(events()).toEqual(['temporal.not-renewed']);
    writeFiles(second.client, 'one');
    await temporal.renew(read(), [worker]);
    expect(lines.findLast(({ event }) => event === 'temporal.not-renewed')?.code).toBe(
      'TEMPORAL_ACCESS_DENIED',
    );
    writeFiles(second.client, 'two');
    await temporal.renew(read(), [worker]);
    expect(events().at(-1)).toBe('temporal.renewed');
    expect(await ask()).toMatchObject({ count: 0 });
    await until('a poll with the new key', async () => polls.includes('two'));

    worker.shutdown();
    await running;
    await temporal.close();
  });
});
