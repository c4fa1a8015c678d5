import { randomUUID } from 'node:crypto';
import { silentLog } from '../../config/log';
import { connectPatiently } from '../../workers/connect';
import { Releasers } from '../../workers/releasers';
import type { RoleContext } from '../../workers/role';
import { createWorker } from '../../workers/workers';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';

let server: TestServer;
beforeAll(async () => {
  server = await connectToTestServer();
});
afterAll(() => server?.close());

const settingsOf = (namespace: string) => {
  const { address } = server;
  return { address, namespace, connection: { address }, idPrefix: '', encryptionKeys: [] };
};
const never = new AbortController().signal;

describeWithTemporal('a role connects to Temporal', () => {
  it('if its namespace exists', async () => {
    const settings = settingsOf(await server.createNamespace());
    const { connection, native } = await connectPatiently(() => settings, silentLog, never);
    await native.close();
    await connection.close();
  });

  it('and explains what to do if the namespace does not exist', async () => {
    const namespace = `absent-${randomUUID()}`;
    await expect(connectPatiently(() => settingsOf(namespace), silentLog, never)).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: `The Temporal server at ${server.address} has no namespace ${namespace}.`,
      hint: expect.stringContaining(`temporal operator namespace create --namespace ${namespace}`),
    });
  });

  it('and does so too if the namespace is deleted before a worker starts', async () => {
    const namespace = `absent-${randomUUID()}`;
    await using held = new Releasers();
    // A role's context, reduced to the parts that a worker uses.
    const context = {
      settings: { clusterId: 'c1', temporal: settingsOf(namespace) },
      native: server.nativeConnection,
      held,
    } as unknown as RoleContext;
    const serving = {
      taskQueue: 'q',
      activities: { nothing: async () => undefined },
      workflows: false,
      maxConcurrentActivityTaskExecutions: 1,
    };
    await expect(createWorker(context, serving)).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      detail: expect.stringContaining(`does not describe the namespace ${namespace}`),
      hint: expect.stringContaining('federated-etl doctor'),
    });
  });
});
