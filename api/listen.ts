import type { FastifyInstance } from 'fastify';
import { parseListen } from '../config/listen';
import { FederationError } from '../errors/federation-error';

export interface RunningServer {
  /** Host and port, such as `127.0.0.1:9003`. */
  readonly address: string;
  /** URL of the server, such as `http://127.0.0.1:9003`. */
  readonly url: string;
  /** Stops accepting connections. Waits for open requests, but closes their connections after 5 seconds. */
  close(): Promise<void>;
}

const closeWithinMs = 5_000;

/**
 * Makes a server listen on the address `listen`. If that is not possible, throws SETTINGS_INVALID with the name of the
 * setting that contains the address.
 */
export async function listenOn(
  app: FastifyInstance,
  listen: string,
  setting: 'api.listen' | 'health.listen' | 'temporal.codec.listen',
): Promise<RunningServer> {
  const { host, port } = parseListen(listen, setting);
  let url: string;
  try {
    url = await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code } = cause as { code?: string };
    throw new FederationError('SETTINGS_INVALID', {
      subject: { setting },
      detail:
        code === 'EADDRINUSE'
          ? `${listen} is taken by another program.`
          : `It cannot listen on ${listen} (${code ?? 'unknown'}).`,
      hint: `Set ${setting} to a free address and port.`,
      cause,
    });
  }
  return {
    address: new URL(url).host,
    url,
    close: async () => {
      // Close all connections after the timeout. Otherwise clients could delay the shutdown.
      const insist = setTimeout(() => app.server.closeAllConnections(), closeWithinMs);
      await app.close();
      clearTimeout(insist);
    },
  };
}
