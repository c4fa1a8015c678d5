import { type AddressInfo, createServer } from 'node:net';
import { freePort } from '../../scripts/set-up/free-port';

describe('a free port', () => {
  test.each(['127.0.0.1', '0.0.0.0'])('is a different one if something listens on %s', async (host) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as AddressInfo;
    expect(await freePort(port)).not.toBe(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort(port)).toBe(port);
  });

  it('is none that the system gives to somebody else before it is used', async () => {
    const port = await freePort(undefined);
    expect(port).toBeGreaterThan(10_000);
    expect(port).toBeLessThan(32_768);
  });
});
