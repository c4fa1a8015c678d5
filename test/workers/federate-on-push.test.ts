import { silentLog } from '../../config/log';
import { loadSettings } from '../../config/settings';
import { ensureFederateOnPush, reportPush } from '../../workers/federate-on-push';
import type { RoleContext } from '../../workers/role';
import { names } from '../../workflows/names';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';

describeWithTemporal('federation on push, by the settings', () => {
  let server: TestServer;
  let contextOf: (federateOnPush: boolean) => RoleContext;

  beforeAll(async () => {
    server = await connectToTestServer();
    const client = server.client(await server.createNamespace());
    contextOf = (federateOnPush) => {
      const env = { CLUSTER_ID: 'c1', FEDERATED_ETL_FEDERATOR_FEDERATE_ON_PUSH: String(federateOnPush) };
      const settings = loadSettings({ env, cwd: __dirname });
      return { client, settings, names: names(''), log: silentLog } as unknown as RoleContext;
    };
  });
  afterAll(() => server.close());

  it('runs, is notified of each push with changes, and ends when it is disabled', async () => {
    const on = contextOf(true);
    // The workflow that receives reports of pushes is not running yet. A report must not fail because of that.
    await reportPush(on, { uploaded: 3 });
    await ensureFederateOnPush(on);
    await ensureFederateOnPush(on);
    const handle = on.client.workflow.getHandle(on.names.federateOnPush);
    await reportPush(on, { uploaded: 0 });
    await reportPush(on, { uploaded: 3 });
    const { events } = await handle.fetchHistory();
    const signals = (events ?? []).flatMap(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    );
    expect(signals).toEqual(['pushed']);
    await ensureFederateOnPush(contextOf(false));
    expect((await handle.describe()).status.name).toBe('TERMINATED');
    await ensureFederateOnPush(contextOf(false));
  });
});
