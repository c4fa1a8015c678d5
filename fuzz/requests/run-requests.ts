import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapConcurrently } from '../../concurrency/map-concurrently';
import { type ApiRequest, type AskedData, Requests } from './requests';

/** Number of requests that are under way at once. More than the queue of queries has places. */
const concurrent = 24;
/** Time after which a request counts as hanging, in milliseconds. Longer than a query may take. */
const patienceMs = 120_000;

/**
 * Statuses with which a request may be answered. 413 (too many rows) and 504 (too long) are limits on queries; 408, 413,
 * 415, 417, 421 and 431 refuse requests that are malformed, or meant for another server.
 */
const allowed = new Set([
  200, 204, 304, 400, 401, 403, 404, 405, 408, 413, 415, 417, 421, 431, 501, 503, 504,
]);

/** Number of characters of a path in the report. Made-up paths may be much longer. */
const longestPath = 40;

export interface RequestsWork {
  readonly url: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly data: AskedData;
}

export interface RequestFailure {
  readonly index: number;
  readonly request: ApiRequest;
  readonly why: string;
}

export interface RequestsReport {
  /** How many requests were answered with each status, by path. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly slowest: { readonly index: number; readonly milliseconds: number };
  readonly bytes: number;
  /** Times in milliseconds in which `/healthz` answered. */
  readonly health: readonly number[];
  readonly failures: readonly RequestFailure[];
}

/** Sends random requests to a server, and asks it all along whether it is alive. */
export async function runRequests({ url, seed, from, to, data }: RequestsWork): Promise<RequestsReport> {
  const requests = new Requests(seed, data);
  const counts = new Map<string, Map<number, number>>();
  const failures: RequestFailure[] = [];
  let slowest = { index: 0, milliseconds: 0 };
  let bytes = 0;
  const ends = new AbortController();
  const watched = watchHealth(url, ends.signal);
  const indexes = Array.from({ length: to - from }, (_, index) => from + index);
  await mapConcurrently(indexes, concurrent, async (index) => {
    const request = requests.at(index);
    const started = performance.now();
    try {
      const answer = await send(url, request);
      bytes += answer.length;
      const status = judge(request, answer);
      const path = pathOf(request);
      const byStatus = counts.get(path) ?? new Map<number, number>();
      counts.set(path, byStatus.set(status, (byStatus.get(status) ?? 0) + 1));
    } catch (error) {
      failures.push({ index, request, why: error instanceof Error ? error.message : String(error) });
    }
    const milliseconds = performance.now() - started;
    if (milliseconds > slowest.milliseconds) slowest = { index, milliseconds };
  });
  ends.abort();
  return { counts, slowest, bytes, health: await watched, failures };
}

/** Asks `/healthz` again and again, and returns the times in which it answered. */
async function watchHealth(url: string, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    const started = performance.now();
    const { ok } = await fetch(`${url}/healthz`);
    if (!ok) throw new Error('/healthz does not answer 200.');
    times.push(performance.now() - started);
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
  return times;
}

/**
 * Sends a request over a connection of its own, because clients of Node's library refuse to send what is malformed.
 * Returns the answer as it came.
 */
function send(url: string, { method, target, headers, body }: ApiRequest): Promise<Buffer> {
  const { hostname, port, host } = new URL(url);
  const sent = {
    host,
    connection: 'close',
    ...(body !== undefined && { 'content-length': `${Buffer.byteLength(body)}` }),
    ...headers,
  };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const received: Buffer[] = [];
    socket.setTimeout(patienceMs, () =>
      socket.destroy(new Error(`No answer within ${patienceMs / 1_000} s.`)),
    );
    socket.on('data', (data: Buffer) => received.push(data));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // A server may close the connection before it has read all of a request that it refuses.
      if (received.length > 0 && error.code === 'ECONNRESET') resolve(Buffer.concat(received));
      else reject(error);
    });
    socket.once('close', () => resolve(Buffer.concat(received)));
    socket.write([`${method} ${target} HTTP/1.1`, ...lines, '', body ?? ''].join('\r\n'));
  });
}

/** Returns the status of an answer. Throws if the answer is not one that the API may give. */
function judge({ method }: ApiRequest, answer: Buffer): number {
  const head = answer.subarray(0, Math.max(answer.indexOf('\r\n\r\n'), 0)).toString('latin1');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  const body = answer.subarray(head.length + 4);
  if (!allowed.has(status)) throw new Error(`Answered with ${status}: ${body.toString().slice(0, 500)}`);
  if (status < 400 || ['HEAD', 'OPTIONS'].includes(method) || body.length === 0) return status;
  const text = body.toString();
  const isEnvelope = /"code":\d{3},"data":null,"message":"/.test(text) || /"message":/.test(text);
  if (!isEnvelope) throw new Error(`${status} without a message: ${text.slice(0, 500)}`);
  if (
    /\bat .*\(.*:\d+:\d+\)|node_modules|Unexpected error|Binder Error|Parser Error|Conversion Error/.test(
      text,
    )
  )
    throw new Error(`The answer shows what is inside: ${text.slice(0, 500)}`);
  return status;
}

/** Returns the path of a request for the report: without what was made up. */
function pathOf({ method, target }: ApiRequest): string {
  const path = /^\/[a-zA-Z/]*/.exec(target)?.[0] ?? 'absolute';
  const known = path.split('/').slice(0, 4).join('/').slice(0, longestPath);
  return method === 'GET' || method === 'HEAD' ? known : `${method} ${known}`;
}
