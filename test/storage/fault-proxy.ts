import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What goes wrong with one request. */
export type Fault =
  /** The store is busy and says so; `slow down` in the store's own words, with Retry-After. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly retryAfter?: string;
    }
  /** The connection breaks before the request reaches the store. */
  | { readonly kind: 'request lost' }
  /** The store does what it is asked, and its answer never arrives. */
  | { readonly kind: 'answer lost' }
  /** Nobody answers, and the connection stays. */
  | { readonly kind: 'no answer' }
  /** The answer's body stops in the middle: the connection stays, breaks, or is closed in good order. */
  | { readonly kind: 'stall' | 'cut' | 'closed' }
  /** One byte in the middle of the answer's body is another. */
  | { readonly kind: 'flip' };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
}

export interface FaultProxy {
  /** With the port. */
  readonly host: string;
  /** Requests since the plan was made. */
  readonly seen: SeenRequest[];
  /** Decides on each request from now on; `n` counts from 1. */
  plan(faultOf: (request: IncomingMessage, n: number) => Fault | undefined): void;
  /** Connections that clients hold open. */
  connections(): number;
  close(): Promise<void>;
}

/** A proxy on loopback in front of a real server: passes everything on as it is, but for what the plan lets go wrong. */
export async function startFaultProxy(target: { hostname: string; port: number }): Promise<FaultProxy> {
  const agent = new http.Agent({ keepAlive: true });
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let faultOf: Parameters<FaultProxy['plan']>[0] = () => undefined;

  function pass(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const { method, url: path, headers } = request;
    // The host as the client named it: signatures are made over it.
    const outgoing = http.request({ ...target, method, path, headers, agent, setHost: false }, (answer) => {
      if (fault?.kind === 'answer lost') {
        answer.resume();
        answer.on('end', () => response.destroy());
      } else if (fault === undefined) {
        response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
        answer.pipe(response);
      } else {
        void spoil(answer, response, fault.kind);
      }
    });
    // A server that answers before it has read the body may close the connection over it: its answer counts.
    outgoing.on('error', () => response.headersSent || response.destroy());
    // A client that went away in the middle of its body has gone away from the store, too.
    request.on('close', () => request.complete || outgoing.destroy());
    request.pipe(outgoing);
  }

  const server = http.createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '' });
    const fault = faultOf(request, seen.length);
    response.on('error', () => undefined);
    switch (fault?.kind) {
      case 'request lost':
        return void response.destroy();
      case 'no answer':
        return void request.resume();
      case 'status': {
        const { status, body = 'busy', headers, retryAfter } = fault;
        request.resume();
        request.on('end', () =>
          response
            .writeHead(status, { ...headers, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) })
            .end(body),
        );
        return;
      }
      default:
        pass(request, response, fault);
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // A client that asks first whether it may send its body is told so, as the store would.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    plan(next) {
      seen.length = 0;
      faultOf = next;
    },
    connections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends half of an answer's body, or all of it with another byte in the middle. An answer without a body is lost. */
async function spoil(answer: IncomingMessage, response: ServerResponse, kind: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (body.length === 0 && kind !== 'stall') return void response.destroy();
  const half = Math.floor(body.length / 2);
  response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
  if (kind === 'flip') {
    body[half] = (body[half] ?? 0) ^ 1;
    return void response.end(body);
  }
  response.flushHeaders();
  response.write(body.subarray(0, half), () => {
    // Let the half arrive before the end does.
    if (kind === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 10);
    if (kind === 'closed') setTimeout(() => response.socket?.end(), 10);
  });
}
