import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnLoopback } from './loopback';

/** A fault that the proxy applies to a single request. */
export type Fault =
  /**
   * The client gets an error status instead of the store's response. `body` can imitate the store's own error message.
   */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly retryAfter?: string;
    }
  /** The connection breaks before the request reaches the store. */
  | { readonly kind: 'request lost' }
  /** The second half of the request reaches the store 200 ms after the first half. */
  | { readonly kind: 'late' }
  /** The store does what the request asks for, but its response is lost and the connection breaks. */
  | { readonly kind: 'answer lost' }
  /** The request gets no response, and the connection stays open. */
  | { readonly kind: 'no answer' }
  /**
   * Only half of the response's body arrives. Then the connection stays open (`stall`), breaks (`cut`) or is closed
   * normally (`closed`).
   */
  | { readonly kind: 'stall' | 'cut' | 'closed' }
  /** Only half of the response's body is sent, but the headers make it look complete. */
  | { readonly kind: 'short' }
  /**
   * One bit of the response's body is changed: the lowest of the byte at this index, which is counted on from the start
   * if the body is shorter. (Default: in the middle)
   */
  | { readonly kind: 'flip'; readonly at?: number }
  /** The response's body arrives in small pieces, over a period of `slowMs`. */
  | { readonly kind: 'slow' };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
}

export interface FaultProxy {
  /** Address of the proxy, including its port. */
  readonly host: string;
  /** The requests that the proxy has received since the last call of `plan`. */
  readonly seen: SeenRequest[];
  /**
   * Sets the function that chooses a fault, or no fault, for each later request. `n` counts the requests since this
   * call, starting at 1. If the function returns a promise, the proxy holds the request until the promise settles.
   */
  plan(
    faultOf: (request: IncomingMessage, n: number) => Fault | undefined | Promise<Fault | undefined>,
  ): void;
  /** Returns the number of open connections to clients. */
  connections(): number;
  /** Returns the number of requests that the proxy has sent to the store and that have not ended yet. */
  underWay(): number;
  close(): Promise<void>;
}

/**
 * Starts a proxy on loopback in front of a real server. The proxy injects the faults that are chosen with `plan`, and
 * otherwise forwards everything unchanged.
 */
export async function startFaultProxy(target: { hostname: string; port: number }): Promise<FaultProxy> {
  const agent = new http.Agent({ keepAlive: true });
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const passing = new Set<IncomingMessage>();
  let faultOf: Parameters<FaultProxy['plan']>[0] = () => undefined;

  /**
   * Reads the whole request before forwarding it to the store. If the body were forwarded while it arrives, the store
   * could refuse the request before the end of the body, and the response would be lost.
   */
  async function pass(
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const { method, url: path, headers } = request;
    const body = await buffer(request);
    // Keep the client's Host header, because the signature of the request covers it.
    const outgoing = http.request({ ...target, method, path, headers, agent, setHost: false }, (answer) => {
      answer.on('end', () => outgoing.writableEnded || outgoing.destroy());
      if (fault?.kind === 'answer lost') {
        answer.resume();
        answer.on('end', () => response.destroy());
      } else if (fault === undefined || fault.kind === 'late') {
        response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
        answer.pipe(response);
      } else {
        spoil(answer, response, fault).catch(() => response.destroy());
      }
    });
    passing.add(request);
    outgoing.once('close', () => passing.delete(request));
    outgoing.on('error', () => response.destroy());
    const send = () => {
      if (fault?.kind !== 'late') return outgoing.end(body);
      const half = Math.floor(body.length / 2);
      outgoing.write(body.subarray(0, half));
      return setTimeout(() => outgoing.end(body.subarray(half)), 200);
    };
    if (headers.expect === undefined) return void send();
    outgoing.once('continue', send).flushHeaders();
  }

  const server = http.createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '' });
    response.on('error', () => undefined);
    const decided = faultOf(request, seen.length);
    if (!(decided instanceof Promise)) return meet(request, response, decided);
    decided.then(
      // If the client has disconnected while the fault was being chosen, do not respond.
      (fault) => request.socket.destroyed || meet(request, response, fault),
      () => response.destroy(),
    );
  });
  function meet(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
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
        // `pass` fails if the client disconnects before it has sent the whole body. The store then gets no request.
        pass(request, response, fault).catch(() => response.destroy());
    }
  }
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // A client that sends `Expect: 100-continue` waits before it sends the body. Tell it to continue, as the store would.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  const { host, close } = await listenOnLoopback(server);
  return {
    host,
    seen,
    plan(next) {
      seen.length = 0;
      faultOf = next;
    },
    connections: () => sockets.size,
    underWay: () => passing.size,
    close() {
      agent.destroy();
      return close();
    },
  };
}

/**
 * Sends the store's response to the client and applies the given fault to it. If the response has no body, sends
 * nothing: breaks the connection, or keeps it open if the fault is `stall`.
 */
async function spoil(answer: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> {
  const { kind } = fault;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (body.length === 0) return kind === 'stall' ? undefined : void response.destroy();
  const half = Math.floor(body.length / 2);
  const { statusCode: status = 500, rawHeaders: headers } = answer;
  switch (kind) {
    case 'flip': {
      const at = (fault.at ?? half) % body.length;
      body[at] = (body[at] ?? 0) ^ 1;
      return void response.writeHead(status, headers).end(body);
    }
    case 'short':
      return void response.writeHead(status, announcing(headers, half)).end(body.subarray(0, half));
    case 'slow':
      response.writeHead(status, headers);
      for (let sent = 0; sent < slowBits; sent += 1) {
        const from = Math.floor((body.length * sent) / slowBits);
        response.write(body.subarray(from, Math.floor((body.length * (sent + 1)) / slowBits)));
        await sleep(slowMs / slowBits);
      }
      return void response.end();
    default:
      response.writeHead(status, headers).flushHeaders();
      response.write(body.subarray(0, half), () => {
        // Wait a moment, so that the client receives the first half before the connection ends.
        if (kind === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 10);
        if (kind === 'closed') setTimeout(() => response.socket?.end(), 10);
      });
  }
}

const slowBits = 40;
/** Time that the proxy takes to send a slow body, in milliseconds. */
export const slowMs = 1_500;

/**
 * Returns a list of headers in which Content-Length, if present, is replaced by `length`. The list alternates between
 * names and values.
 */
function announcing(headers: readonly string[], length: number): string[] {
  return headers.map((text, at) =>
    at % 2 === 1 && headers[at - 1]?.toLowerCase() === 'content-length' ? String(length) : text,
  );
}
