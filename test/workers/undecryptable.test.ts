import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { EncryptionKey } from '../../config/encryption-keys';
import { silentLog } from '../../config/log';
import { keyIdOf, PayloadEncryption } from '../../config/payload-encryption';
import { type Asked, askWorkflow } from '../../operator/ask-workflow';
import { keysRequired } from '../../operator/require-keys';
import { awaitKeys } from '../../workers/await-keys';
import { dataConverter } from '../../workers/data-converter';
import { workflowBundle } from '../../workers/workflow-bundle';
import type { RosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

const first = { id: 'first', key: randomBytes(32) };
const second = { id: 'second', key: randomBytes(32) };
const { roster, federationQueue } = names('');

describeWithTemporal('a workflow that its worker cannot decrypt', () => {
  let server: TestServer;
  beforeAll(async () => {
    Runtime.install({
      logger: new DefaultLogger('ERROR', () => undefined),
      telemetryOptions: { logging: { filter: 'OFF' } },
    });
    server = await connectToTestServer();
  });
  afterAll(() => server?.close());

  /** Starts a roster in a namespace of its own. Its start is encrypted with the first key. */
  async function world() {
    const namespace = await server.createNamespace();
    const clientWith = (...keys: EncryptionKey[]) => {
      const dataConverterOfClient = dataConverter(
        () => keys,
        () => undefined,
      );
      return new Client({ connection: server.connection, namespace, dataConverter: dataConverterOfClient });
    };
    await clientWith(first).workflow.start('roster', {
      workflowId: roster,
      taskQueue: federationQueue,
      args: [{ bucket: 'file:///bucket', exclusions: {} }],
      memo: { bucket: 'file:///bucket' },
    });
    /** Runs a worker with the given keys until `work` has ended. It serves no activities. */
    const withWorker = async (keys: readonly EncryptionKey[], work: () => Promise<void>) => {
      const worker = await Worker.create({
        connection: server.nativeConnection,
        namespace,
        taskQueue: federationQueue,
        workflowBundle: await workflowBundle(true),
        dataConverter: dataConverter(
          () => keys,
          () => undefined,
        ),
      });
      await worker.runUntil(work);
    };
    return { namespace, clientWith, withWorker };
  }
  const ask = (client: Client): Promise<Asked<RosterState>> => askWorkflow(client, roster, 'roster', 1_000);
  const refusal = (client: Client) => until('the refusal', async () => (await ask(client)).refusal);
  const missing = {
    code: 'TEMPORAL_KEY_MISSING',
    detail: expect.stringMatching(/the key "first"\.$/),
  };

  test('says which key is missing, instead of letting a query hang', async () => {
    const { clientWith, withWorker } = await world();
    await withWorker([second], async () => {
      const client = clientWith(first, second);
      await until('the failed task', async () => {
        const { raw } = await client.workflow.getHandle(roster).describe();
        return (raw.pendingWorkflowTask?.attempt ?? 0) > 1;
      });
      // Signals after the failure make its event one of many.
      for (let i = 0; i < 20; i++) await client.workflow.getHandle(roster).signal('excludeCluster', `c${i}`);
      for (const asking of [client, clientWith(second), clientWith()])
        expect(await refusal(asking)).toMatchObject(missing);
    });
  });

  test('says so, too, if it only has to be replayed for a query', async () => {
    const { clientWith, withWorker } = await world();
    const client = clientWith(first, second);
    await withWorker([second, first], async () => {
      await until('the answer', async () => (await ask(client)).answer);
    });
    await withWorker([second], async () => {
      for (const asking of [client, clientWith(second), clientWith()])
        expect(await refusal(asking)).toMatchObject(missing);
    });
  });

  test('says that the secret of a key differs', async () => {
    const { clientWith, withWorker } = await world();
    const other = { id: 'first', key: randomBytes(32) };
    await withWorker([other], async () => {
      expect(await refusal(clientWith(first))).toMatchObject({
        code: 'TEMPORAL_KEY_DIFFERS',
        detail: expect.stringContaining('"first"'),
      });
    });
  });

  describe('gets nothing from a client', () => {
    const other = { id: 'first', key: randomBytes(32) };
    let opened: Awaited<ReturnType<typeof world>>;
    beforeAll(async () => {
      opened = await world();
    });

    /** Returns the client of a verb, which checks its keys before it sends anything. */
    function verbWith(...keys: EncryptionKey[]): Client {
      const { connection, namespace } = opened.clientWith().options;
      const client: Client = new Client({
        connection,
        namespace,
        dataConverter: { payloadCodecs: [new PayloadEncryption(() => keys)] },
        interceptors: { workflow: [keysRequired(() => client, roster)] },
      });
      return client;
    }
    const sends: Record<string, (client: Client) => Promise<unknown>> = {
      'a signal': ({ workflow }) => workflow.getHandle(roster).signal('includeCluster', 'c1'),
      'a signal that starts': ({ workflow }) =>
        workflow.signalWithStart('roster', {
          workflowId: roster,
          taskQueue: federationQueue,
          signal: 'includeCluster',
          signalArgs: ['c1'],
        }),
      'an update': ({ workflow }) =>
        workflow.getHandle(roster).startUpdate('includeCluster', { args: ['c1'], waitForStage: 'ACCEPTED' }),
      'a start of another workflow': ({ workflow }) =>
        workflow.start('federation', { workflowId: 'federation-1', taskQueue: federationQueue }),
    };
    const events = async () => {
      const { events: found } = await opened.clientWith(first).workflow.getHandle(roster).fetchHistory();
      return found?.length;
    };

    test.each(Object.entries(sends))('that has another secret: %s', async (_, send) => {
      const before = await events();
      await expect(send(verbWith(other))).rejects.toMatchObject({
        code: 'TEMPORAL_KEY_DIFFERS',
        subject: { key: roster },
      });
      await expect(send(verbWith(second))).rejects.toMatchObject({ code: 'TEMPORAL_KEY_MISSING' });
      await expect(opened.clientWith().workflow.getHandle('federation-1').describe()).rejects.toThrow();
      expect(await events()).toBe(before);
    });

    test('except from one that has the right secret, whichever key is first', async () => {
      for (const keys of [[first], [second, first]]) await sends['a signal']!(verbWith(...keys));
    });

    test('while a process has another secret: it ends or, as a primary, waits for the right one', async () => {
      let keys = [other];
      const client = verbWith();
      client.options.loadedDataConverter.payloadCodecs = [new PayloadEncryption(() => keys)];
      const refused: string[] = [];
      const wait = (insists: boolean) =>
        awaitKeys(client, [roster, 'push/absent'], {
          log: silentLog,
          stop: new AbortController().signal,
          insists: () => insists,
          everyMs: 1,
          refused: ({ code }) => {
            if (refused.push(code) === 3) keys = [first];
          },
        });
      await expect(wait(false)).rejects.toMatchObject({ code: 'TEMPORAL_KEY_DIFFERS' });
      await wait(true);
      expect(refused).toEqual(Array(3).fill('TEMPORAL_KEY_DIFFERS'));
      keys = [second];
      await wait(false);
    });

    test('unless it has ended', async () => {
      await opened.clientWith(first).workflow.getHandle(roster).terminate();
      await sends['a start of another workflow']!(verbWith(other));
    });
  });

  test('is encrypted with the new key as a whole, once it continues as new', async () => {
    const { namespace, clientWith, withWorker } = await world();
    const client = clientWith(second, first);
    const handle = client.workflow.getHandle(roster);
    const { runId } = await handle.describe();
    await withWorker([second, first], async () => {
      await until('the answer', async () => (await ask(client)).answer);
      for (let i = 0; i < 3; i++) {
        await handle.signal('excludeCluster', { cluster: `c${i}`, padding: 'x'.repeat(1_700_000) });
        await handle.query('roster');
      }
      await until('another run', async () => (await handle.describe()).runId !== runId);
      const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({
        namespace,
        execution: { workflowId: roster },
      });
      const { events } = await handle.fetchHistory();
      const { input, memo } = events![0]!.workflowExecutionStartedEventAttributes!;
      const payloads = [input?.payloads, memo?.fields, workflowExecutionInfo?.memo?.fields];
      expect(payloads.map((some) => Object.values(some ?? {}).map(keyIdOf))).toEqual(
        Array(3).fill(['second']),
      );
    });
    expect(await clientWith(second).workflow.getHandle(roster).describe()).toMatchObject({
      memo: { bucket: 'file:///bucket' },
    });
  });
});
