import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pagePolicy } from '../../api/page';
import { bundlePage } from '../../web/bundle';
import * as answers from './canned-answers';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly body: string;
  readonly authorization?: string;
}

export interface ServedPage {
  readonly url: string;
  readonly canned: answers.Canned;
  /** Requests to the API, in the order in which the server received them. */
  readonly asked: Asked[];
  close(): Promise<void>;
}

/** Returns the initial state of the canned answers. Tests can then change it. */
export function defaultAnswers(): answers.Canned {
  return { rows: 10_000, empty: false, locked: false, warnings: {}, generations: [] };
}

/** Serves the bundled page. Answers its API requests with canned answers. */
export async function servePage(): Promise<ServedPage> {
  const files = await bundlePage();
  const canned = defaultAnswers();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const file = files.get(pathname === '/' ? '/index.html' : pathname);
    if (file !== undefined) {
      response.writeHead(200, { 'content-type': file.type, 'content-security-policy': pagePolicy });
      response.end(file.body);
      return;
    }
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const { authorization } = request.headers;
    asked.push({
      method: request.method ?? 'GET',
      path: pathname,
      parameters: searchParams,
      body,
      ...(authorization !== undefined && { authorization }),
    });
    const { status, data, message } = answer(request.method ?? 'GET', pathname, searchParams, authorization);
    const warning = canned.warnings[pathname];
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      ...(/^\/model\/allocation(\/summary)?$/.test(pathname) && {
        'x-federated-etl-generation': canned.generations.shift() ?? answers.newest,
      }),
    });
    response.end(
      JSON.stringify({
        code: status,
        data: data ?? null,
        ...(message !== undefined && { message: `Error: ${message}` }),
        ...(warning !== undefined && { warning }),
      }),
    );
  }

  function answer(
    method: string,
    path: string,
    parameters: URLSearchParams,
    authorization: string | undefined,
  ): { status: number; data?: unknown; message?: string } {
    const trusted = authorization === `Bearer ${answers.token}`;
    if (!trusted && (canned.locked || method === 'POST')) {
      const what = authorization === undefined ? 'missing' : 'wrong';
      return { status: 401, message: `The operator token is ${what}.` };
    }
    if (method === 'POST') return { status: 200, data: { message: `Done: ${path}` } };
    if (path.startsWith('/model/')) {
      if (canned.empty) return { status: 503, message: 'No federation has been committed and pulled yet.' };
      if (canned.error !== undefined && (canned.error.path ?? path) === path) return canned.error;
    }
    const data: Readonly<Record<string, () => unknown>> = {
      '/api/status': () => answers.status(canned),
      '/api/federations': answers.federations,
      '/api/generations': () => answers.generations(canned),
      '/api/generations/diff': () => answers.difference(parameters),
      '/model/allocation': () => [answers.allocationSet(parameters, canned)],
      '/model/allocation/summary': () => answers.summary(parameters, canned),
      '/model/allocation/autocomplete': () => answers.completions(parameters),
      '/model/assets': () => [answers.assetSet(parameters)],
      '/model/assets/autocomplete': () => answers.completions(parameters),
    };
    const found = data[path];
    return found === undefined
      ? { status: 404, message: `There is no ${path}.` }
      : { status: 200, data: found() };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    canned,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
