import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import * as sdk from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { FederationError } from '../../errors/federation-error';
import { followFederation } from '../../operator/follow-federation';
import { primaryOf } from '../../operator/primary';
import { startFederation } from '../../operator/start-federation';
import { guardedRetries } from '../../workers/guarded-retries';
import { workflowBundle } from '../../workers/workflow-bundle';
import { names } from '../../workflows/names';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

let server: TestServer;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  server = await connectToTestServer();
});
afterAll(() => server?.close());

const impatient = { lookEveryMs: 50, answerWithinMs: 500, troubleMs: 0 };

/** Follows a run with short time limits. Collects the reasons for which the run was reported as stuck. */
function follow(client: sdk.Client, run: string, patience = impatient) {
  const stuck: FederationError[] = [];
  const end = followFederation(client, run, {
    progress: () => undefined,
    unserved: () => undefined,
    stuck: (why) => stuck.push(why),
    stop: AbortSignal.abort(),
    patience,
  });
  return { end, stuck };
}

describeWithTemporal('waiting for a federation that cannot end', () => {
  it('ends with the reason if the search attributes are gone', async () => {
    const namespace = `test-${randomUUID()}`;
    await server.connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const client = server.client(namespace);
    const request = { trigger: 'person', at: new Date().toISOString() } as const;
    // Retry, because the server polls for new namespaces and may not have noticed this one yet.
    const run = await until('the start of a run', () => startFederation(client, '', request));
    const worker = await Worker.create({
      connection: server.nativeConnection,
      namespace,
      taskQueue: names('').federationQueue,
      workflowBundle: await workflowBundle(),
    });
    await worker.runUntil(async () => {
      const { end, stuck } = follow(client, run, { ...impatient, answerWithinMs: 10_000, troubleMs: 200 });
      await expect(end).rejects.toMatchObject({
        code: 'SEARCH_ATTRIBUTES_MISSING',
        detail: expect.stringContaining('FederationOutcome'),
        hint: expect.stringContaining('within minutes'),
      });
      expect(stuck.map(({ code }) => code)).toEqual(['SEARCH_ATTRIBUTES_MISSING']);
    });
  });

  it('ends if Temporal no longer knows the run', async () => {
    const client = server.client(await server.createNamespace());
    await expect(follow(client, 'federation-forgotten').end).rejects.toMatchObject({ code: 'RUN_DIED' });
  });

  it('ends if Temporal no longer answers', async () => {
    const silent = createServer((socket) => socket.unref()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const connection = sdk.Connection.lazy({ address, interceptors: guardedRetries(sdk) });
    const client = new sdk.Client({ connection });
    await expect(follow(client, 'federation-1').end).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      subject: { key: 'federation-1' },
    });
    await connection.close();
    silent.close();
  });
});

describeWithTemporal('a request to a primary', () => {
  it('ends with the reason if no process serves the primary', async () => {
    const client = server.client(await server.createNamespace());
    await client.workflow.start('pull', {
      workflowId: names('').pull('c1'),
      taskQueue: names('').clusterQueue('c1'),
      args: [{ cluster: 'c1', pullEveryMs: 60_000 }],
    });
    await expect(primaryOf(client, names(''), 'c1', 500).status()).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: 'The primary c1 does not answer: no process serves it.',
    });
  });
});
