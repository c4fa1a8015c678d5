import { otherFederators } from '../../workers/other-federators';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';
import { until } from '../until';

describeWithTemporal('the other federators of a namespace', () => {
  it('are those that have polled its queue since this one started', async () => {
    const server = await connectToTestServer();
    const namespace = await server.createNamespace();
    const client = server.client(namespace);
    const since = new Date();
    const others = (from = since) => otherFederators(client, 'federation', 'east@host/1', from);
    expect(await others()).toEqual([]);
    const enough = new AbortController();
    const polls = ['east@host/1', 'west@host/2'].map((identity) =>
      server.connection.withAbortSignal(enough.signal, () =>
        server.connection.withDeadline(Date.now() + 60_000, () =>
          server.connection.workflowService
            .pollWorkflowTaskQueue({ namespace, taskQueue: { name: 'federation' }, identity })
            .catch(() => undefined),
        ),
      ),
    );
    await until('the other federator', async () => (await others()).includes('west@host/2'));
    expect(await others()).toEqual(['west@host/2']);
    expect(await others(new Date(Date.now() + 60_000))).toEqual([]);
    enough.abort();
    await Promise.all(polls);
    await server.close();
  });
});
