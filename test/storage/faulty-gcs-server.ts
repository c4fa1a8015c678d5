import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Crc32c } from '../../storage/drivers/gcs-crc32c';
import { listenOnLoopback } from './loopback';

/** A request as the server received it. */
export interface SeenGcsRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Way = (response: ServerResponse, request: SeenGcsRequest) => void;

export interface FaultyGcsServer {
  readonly endpoint: string;
  readonly seen: SeenGcsRequest[];
  /** Sets the responses to the next requests, in order. Further requests get the last response again. */
  answer(...ways: Way[]): void;
  close(): Promise<void>;
}

/** Starts a fake GCS server on loopback that sends canned responses. */
export async function startFaultyGcsServer(): Promise<FaultyGcsServer> {
  const seen: SeenGcsRequest[] = [];
  let ways: Way[] = [];
  const server = createServer((incoming, response) => {
    const way = ways.length > 1 ? ways.shift() : ways[0];
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://store');
    void buffer(incoming).then((body) => {
      const query = Object.fromEntries(searchParams);
      const request = {
        method: incoming.method ?? '',
        path: pathname,
        query,
        headers: incoming.headers,
        body,
      };
      seen.push(request);
      way?.(response, request);
    });
  });
  const { host, close } = await listenOnLoopback(server);
  return {
    endpoint: `http://${host}`,
    seen,
    answer(...next) {
      ways = next;
      seen.length = 0;
    },
    close,
  };
}

export function json(status: number, value: object, headers: Record<string, string> = {}): Way {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

export function gcsError(
  status: number,
  reason: string,
  message = 'no',
  headers: Record<string, string> = {},
) {
  return json(status, { error: { code: status, message, errors: [{ reason, message }] } }, headers);
}

/** Returns the metadata that GCS would return for an object with this name and these bytes. `more` overrides fields. */
export function resource(name: string, bytes: Uint8Array, more: object = {}): object {
  const updated = '2026-11-20T00:00:00.000Z';
  return { name, size: String(bytes.length), generation: '7', updated, crc32c: crc32c(bytes), ...more };
}

export function crc32c(bytes: Uint8Array): string {
  const sum = new Crc32c();
  sum.update(bytes);
  return sum.toString();
}

/**
 * Returns a handler that sends the object's headers, and only the first `sent` bytes of its body. After that, the
 * connection stalls, breaks or is closed normally.
 */
export function media(bytes: Buffer, sent: number, then: 'stall' | 'break' | 'end', more: object = {}): Way {
  return (response, { headers: { range } }) => {
    const offset = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      'x-goog-generation': '7',
      'x-goog-hash': `crc32c=${crc32c(bytes)},md5=AAAA`,
      'last-modified': new Date(0).toUTCString(),
      'content-length': String(bytes.length - offset),
      ...(range !== undefined && { 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length}` }),
      ...more,
    });
    response.write(bytes.subarray(offset, Math.max(offset, sent)));
    if (then === 'break') setTimeout(() => response.destroy(), 20);
    if (then === 'end') response.end();
  };
}
