import { connect, createServer } from 'node:net';

/** Returns the preferred port if it is free. Otherwise returns any free port. */
export async function freePort(preferred: number | undefined, ip = '127.0.0.1'): Promise<number> {
  if (preferred !== undefined && !(await answers(preferred, ip)) && (await canListen(preferred, ip)))
    return preferred;
  const port = await listen(0, ip);
  if (port === undefined) throw new Error(`no free port on ${ip}`);
  return port;
}

async function canListen(port: number, ip: string): Promise<boolean> {
  return (await listen(port, ip)) !== undefined;
}

/**
 * Binds a port and releases it at once. Returns the number of the port, or undefined if it cannot be bound. For port 0,
 * the system chooses a free port.
 */
function listen(port: number, ip: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: ip, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/**
 * Returns whether a process listens on the port. Trying to bind the port would not be enough: if another process has
 * bound the port on all addresses, some systems still let this process bind it on a single address.
 */
export function answers(port: number, ip = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: ip, timeout: 1000 });
    const done = (result: boolean) => (): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(false));
  });
}
