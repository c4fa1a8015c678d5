import { connect, createServer } from 'node:net';

/** Returns the preferred port if it is free, otherwise any free port. */
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
 * Binds a port and releases it at once. Returns its number, or undefined if the port cannot be bound. Port 0 means any
 * port.
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
 * Whether a process listens on the port. Trying to bind the port is not enough: on some systems a second process can
 * bind a port that another one uses on all addresses.
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
