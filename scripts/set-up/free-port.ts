import { connect, createServer } from 'node:net';

/** The preferred port where nobody has it, else any free one. */
export async function freePort(preferred: number | undefined, ip = '127.0.0.1'): Promise<number> {
  if (preferred !== undefined && !(await answers(preferred, ip)) && (await canListen(preferred, ip)))
    return preferred;
  const port = await listen(0, ip);
  if (port === undefined) throw new Error(`no port is free on ${ip}`);
  return port;
}

async function canListen(port: number, ip: string): Promise<boolean> {
  return (await listen(port, ip)) !== undefined;
}

/** Takes a port and gives it back at once; undefined where it cannot be had. */
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

/** Whether somebody listens there: some systems let a second one listen on a part of what the first has. */
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
