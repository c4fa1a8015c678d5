import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { variables } from './paths';

/** A shared server: what test files need to reach it (passed as JSON), and a function to stop it. */
export interface SharedServer {
  readonly access: object;
  stop(): Promise<void>;
}

/**
 * Functions that start shared servers, by name. Each is called when a test file requests its server for the first time.
 */
export type Starters = Readonly<Record<string, () => Promise<SharedServer>>>;

/**
 * Starts the servers that all test files of a run share. They run in the main process, because jest runs test files in
 * processes that end early. Test files request servers over a loopback port, and each server starts at the first
 * request. So a run of tests without servers starts none.
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

  /** Starts to listen for requests, and returns the address. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Stops all servers that were started. */
  async close(): Promise<void> {
    this.#http.close();
    const servers = await Promise.allSettled(this.#started.values());
    await Promise.all(
      servers.flatMap((server) => (server.status === 'fulfilled' ? [server.value.stop()] : [])),
    );
  }
}

/**
 * Requests a shared server from the main process, and returns its `access`. The first request has to wait until the
 * server has started.
 */
export async function sharedServer<T>(name: string): Promise<T> {
  const url = process.env[variables.sharedServers];
  if (!url) throw new Error('the shared servers do not answer: run the tests by jest with its global setup');
  const response = await fetch(`${url}/${name}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error((body as { error: string }).error);
  return body as T;
}
