import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { keepSecret } from '../../errors/secrets';
import { ownValue } from '../../etl/own-value';
import { untilAborted } from '../body';
import { connectTimeoutMs, httpAgents } from '../http-agents';
import { retryAfterOf } from '../store-failure';
import { type GcsConfig, gcsCredentials } from './gcs-config';
import { noToken, notTheStore, refusal } from './gcs-errors';

const googleEndpoint = 'https://storage.googleapis.com';
/**
 * Time limit for obtaining a token, in milliseconds, if `response_header_timeout` is 0. The value 0 removes the time
 * limit for requests to the store, but not for tokens.
 */
const longestTokenMs = 60_000;
const maxJsonBytes = 32 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

export interface GcsOptions {
  /** URL of a GCS emulator to use instead of Google's servers. */
  readonly apiEndpoint?: string;
  /** Whether requests contain a token. (Default: true, unless `apiEndpoint` is set) */
  readonly authenticate?: boolean;
}

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path of the request's URL, percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
  /** An HTTP status that counts as success for this request, in addition to 2xx. */
  readonly alsoFine?: number;
}

/** A client for the JSON API of Google Cloud Storage. */
export interface GcsClient {
  /**
   * Sends a request and returns the response with its body unread. The caller must read or destroy the response. Throws
   * a GcsFailure for an error status, or the network error if there is no response.
   */
  send(request: GcsRequest): Promise<IncomingMessage>;
  /**
   * Sends a request and returns the parsed JSON body of the response. Throws the same errors as `send`, and also a
   * GcsFailure if the body is not JSON.
   */
  json(request: GcsRequest): Promise<unknown>;
  close(): void;
}

/**
 * Opens a client for the JSON API of Google Cloud Storage. The client makes one attempt per request. The SDK is loaded
 * only to find the credentials and to obtain tokens. The client sends the requests itself, because the SDK has these
 * limits (test/storage/gcs-library.test.ts demonstrates each):
 *
 * - The SDK's methods for listings, metadata, downloads, simple uploads, copies and deletes share one request function.
 *   It accepts no AbortSignal. It accepts no HTTP agent, so there can be no CA file, no client certificate and no limit
 *   on connections. It has no deadline: its option `timeout` has no effect.
 * - The SDK's resumable upload accepts an HTTP agent, but ignores an AbortSignal while it sends a chunk. The comment on
 *   `uploadStream` lists more limits.
 * - The environment variable STORAGE_EMULATOR_HOST overrides the endpoint of all these methods.
 *
 * The SDK's authenticated transport (`authClient.request`) has none of these limits. But compared with this client, it
 * takes three times the CPU for a small request, and one and a half times the CPU to read an object of 200 kB.
 */
export async function connect(
  config: GcsConfig,
  { apiEndpoint, authenticate = apiEndpoint === undefined }: GcsOptions = {},
): Promise<GcsClient> {
  const { Storage } = await import('@google-cloud/storage');
  const credentials = gcsCredentials(config);
  const agents = httpAgents(config.http_config);
  const tokenAgents = httpAgents({
    ...config.http_config,
    tls_config: { ...config.http_config.tls_config, server_name: undefined },
  });
  // These options have no effect on the token exchange of workload identity federation. So `authorization` has its own
  // deadline.
  const transporterOptions = {
    agent: (url: URL) => agentFor(url, tokenAgents),
    retryConfig: { retry: 0 },
  };
  const newAuth = () => new Storage({ credentials, clientOptions: { transporterOptions } }).authClient;
  let auth = authenticate ? newAuth() : undefined;
  const tokenMs = connectTimeoutMs + (config.http_config.response_header_timeout || longestTokenMs);
  const endpoint = new URL(apiEndpoint ?? googleEndpoint);

  async function authorization(url: URL, signal: AbortSignal | undefined): Promise<OutgoingHttpHeaders> {
    if (auth === undefined) return {};
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(Object.assign(new Error(`no answer within ${tokenMs} ms`), { code: 'ETIMEDOUT' })),
      tokenMs,
    );
    try {
      const found = untilAborted(auth.getRequestHeaders(url.href), late.signal);
      const headers = Object.fromEntries(await untilAborted(found, signal));
      keepSecret(headers['authorization']?.replace(/^Bearer /, ''));
      return headers;
    } catch (error) {
      signal?.throwIfAborted();
      // Replace the auth client after a timeout. The old one would make later calls wait for the same unanswered
      // request.
      if (late.signal.aborted) auth = newAuth();
      throw noToken(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function send(request: GcsRequest): Promise<IncomingMessage> {
    const { method, path, query = {}, headers, body = [], signal, alsoFine } = request;
    signal?.throwIfAborted();
    const url = new URL(path, endpoint);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const authorized = await authorization(url, signal);
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = (url.protocol === 'http:' ? http : https).request(url, {
        method,
        agent: agentFor(url, agents),
        headers: { ...headers, ...authorized, ...(method !== 'GET' && { 'content-length': length }) },
        signal,
      });
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
      for (const part of body) outgoing.write(part);
      outgoing.end();
    });
    const { statusCode: status = 0 } = answer;
    if ((status >= 200 && status < 300) || status === alsoFine) return answer;
    const text = await readText(answer, maxErrorBytes).catch(() => '');
    signal?.throwIfAborted();
    const requestId = headerOf(answer, 'x-guploader-uploadid');
    const retryAfterMs = retryAfterOf(headerOf(answer, 'retry-after'));
    throw refusal({ status, requestId, retryAfterMs }, text);
  }

  return {
    send,
    json: async (request) => readJson(await send(request)),
    close() {
      for (const pair of [agents, tokenAgents]) {
        pair.httpAgent.destroy();
        pair.httpsAgent.destroy();
      }
    },
  };
}

export function headerOf(answer: IncomingMessage, name: string): string | undefined {
  const value = ownValue(answer.headers, name);
  return Array.isArray(value) ? value.join(',') : value;
}

/** Reads the body of a response and parses it as JSON. Throws a GcsFailure if it is not JSON. */
export async function readJson(answer: IncomingMessage): Promise<unknown> {
  const text = await readText(answer, maxJsonBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw notTheStore('The answer is not JSON');
  }
}

type Agents = ReturnType<typeof httpAgents>;

function agentFor({ protocol }: URL, { httpAgent, httpsAgent }: Agents): Agents['httpAgent'] {
  return protocol === 'http:' ? httpAgent : httpsAgent;
}

/** Reads the body of a response as text. Stops after the chunk that exceeds `maxBytes`. */
async function readText(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return Buffer.concat(chunks).toString();
}
