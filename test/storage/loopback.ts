import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A server that accepts connections. */
export interface Listening {
  /** Address of the server, including its port. */
  readonly host: string;
  /** Stops listening, and closes all connections. */
  close(): Promise<void>;
}

/** Makes the server listen on a free port of the loopback interface. */
export async function listenOnLoopback(server: Server | HttpsServer): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
