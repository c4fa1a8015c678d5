import { NativeConnection } from '@temporalio/worker';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';

// config/temporal-proxy.ts warns of this.
describeWithTemporal('the connection of workers', () => {
  it('follows no proxy', async () => {
    const server = await connectToTestServer();
    process.env['http_proxy'] = 'http://127.0.0.1:1';
    try {
      await (await NativeConnection.connect({ address: server.address })).close();
    } finally {
      delete process.env['http_proxy'];
      await server.close();
    }
  });
});
