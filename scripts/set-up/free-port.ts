import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/**
 * Range of the ports to choose from. Systems do not give these ports to connections or to listeners that ask for any
 * port: Linux begins at 32768, others higher. So a port stays free until it is used, also between two starts of a
 * server.
 */
const [lowest, beyond] = [15_000, 32_768];
const attempts = 100;

/** Returns the preferred port if it is free. Otherwise returns any free port. */
export async function freePort(preferred: number | undefined, ip = '127.0.0.1'): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred, ip))) return preferred;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(lowest, beyond);
    if (await isFree(port, ip)) return port;
  }
  throw new Error(`no free port on ${ip}`);
}

async function isFree(port: number, ip: string): Promise<boolean> {
  return !(await answers(port, ip)) && (await canListen(port, ip));
}

/** Binds a port and releases it at once. Returns whether it could be bound. */
function canListen(port: number, ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: ip, exclusive: true }, () => server.close(() => resolve(true)));
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
