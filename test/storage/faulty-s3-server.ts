import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './loopback';

/** A request as the server received it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FaultyServer {
  readonly endpoint: string;
  readonly seen: SeenRequest[];
  /** Sets the responses to the next requests, in order. Further requests get the last response again. */
  answer(...ways: ((response: ServerResponse, request: IncomingMessage) => void)[]): void;
  close(): Promise<void>;
}

/** Starts a fake S3 server on loopback that sends canned responses. */
export async function startFaultyServer(): Promise<FaultyServer> {
  const seen: SeenRequest[] = [];
  let ways: ((response: ServerResponse, request: IncomingMessage) => void)[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    const way = ways.length > 1 ? ways.shift() : ways[0];
    request.resume();
    request.on('end', () => way?.(response, request));
  });
  const { host, close } = await listenOnLoopback(server);
  return {
    endpoint: host,
    seen,
    answer(...next) {
      ways = next;
      seen.length = 0;
    },
    close,
  };
}

export function xmlError(status: number, code: string, message = 'no', headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  };
}

/**
 * Returns a handler that sends the headers of an object of this size, and only the first `sent` bytes of its body.
 * After that, the connection stalls, breaks or is closed normally.
 */
export function partOfBody(size: number, sent: number, then: 'stall' | 'break' | 'end') {
  return (response: ServerResponse, request: IncomingMessage): void => {
    const offset = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      etag: '"v1"',
      'last-modified': new Date(0).toUTCString(),
      'content-length': String(size - offset),
      ...(request.headers.range !== undefined && { 'content-range': `bytes ${offset}-${size - 1}/${size}` }),
    });
    response.write(
      Buffer.from(Array.from({ length: Math.max(0, sent - offset) }, (_, i) => (offset + i) % 251)),
    );
    if (then === 'break') setTimeout(() => response.destroy(), 20);
    if (then === 'end') response.end();
  };
}
