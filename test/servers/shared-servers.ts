import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { variables } from './paths';

/**
 * A server that all test files share. `access` has everything that a test file needs to connect to it, and is passed as
 * JSON.
 */
export interface SharedServer {
  readonly access: object;
  stop(): Promise<void>;
}

/**
 * Functions that start shared servers, keyed by name. Each function is called when a test file first requests the
 * server.
 */
export type Starters = Readonly<Record<string, () => Promise<SharedServer>>>;

/**
 * Starts the servers that all test files of a run share. The servers belong to jest's main process, because the
 * processes that run test files may end before the test run does. Test files request a server over a loopback port. The
 * first request for a server starts it, so a test run that needs no servers starts none.
 */
export class SharedServers {
  readonly #started = new Map<string, Promise<SharedServer>>();
  readonly #http: Server;

  constructor(starters: Starters) {
    this.#http = createServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
        response.end(JSON.stringify(body));
      };
      const starter = starters[name];
      if (!starter) return answer(404, { error: `no server is called ${name}` });
      const started = this.#started.get(name) ?? starter();
      this.#started.set(name, started);
      started.then(
        ({ access }) => answer(200, access),
        (error: unknown) => answer(500, { error: error instanceof Error ? error.message : String(error) }),
      );
    });
  }

  /** Starts to listen for requests from test files. Returns the URL to which test files send their requests. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Stops all servers that have been started. */
  async close(): Promise<void> {
    this.#http.close();
    const servers = await Promise.allSettled(this.#started.values());
    await Promise.all(
      servers.flatMap((server) => (server.status === 'fulfilled' ? [server.value.stop()] : [])),
    );
  }
}

/** Requests a shared server from jest's main process and returns its `access`. Waits until the server has started. */
export async function sharedServer<T>(name: string): Promise<T> {
  const url = process.env[variables.sharedServers];
  if (!url) throw new Error('the shared servers do not answer: run the tests by jest with its global setup');
  const response = await fetch(`${url}/${name}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error((body as { error: string }).error);
  return body as T;
}
