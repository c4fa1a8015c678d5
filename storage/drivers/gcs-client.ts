import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { untilAborted } from '../body';
import { connectTimeoutMs, httpAgents } from '../http-agents';
import { redact } from '../secret';
import { retryAfterOf } from '../store-failure';
import { type GcsConfig, gcsCredentials } from './gcs-config';
import { noToken, notTheStore, refusal } from './gcs-errors';

const googleEndpoint = 'https://storage.googleapis.com';
/**
 * Time limit for getting a token, in milliseconds, if `response_header_timeout` is 0. (With that setting, the store
 * itself may stay silent forever.)
 */
const longestTokenMs = 60_000;
const maxJsonBytes = 32 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

export interface GcsOptions {
  /** URL of an emulator to use instead of Google. */
  readonly apiEndpoint?: string;
  /** Whether to send a token. (Default: only to Google) */
  readonly authenticate?: boolean;
}

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path of the URL, percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
  /** A status outside of 2xx that is not a failure for this request. */
  readonly alsoFine?: number;
}

/** A client for the JSON API of Google Cloud Storage. */
export interface GcsClient {
  /**
   * Returns the answer with its body unread; the caller has to read or destroy it. Throws a GcsFailure or a network
   * error.
   */
  send(request: GcsRequest): Promise<IncomingMessage>;
  /** Returns the parsed body of the answer. Throws as `send` does, and also a GcsFailure if the body is not JSON. */
  json(request: GcsRequest): Promise<unknown>;
  /** Removes the token and the secrets in the credentials from a text. */
  redact(text: string): string;
  close(): void;
}

/**
 * Opens a client for the JSON API that makes one attempt per request. The SDK, which is loaded here, finds the
 * credentials and gets the tokens. The requests are our own, for these reasons (test/storage/gcs-library.test.ts shows
 * each):
 *
 * - The SDK's methods for listings, metadata, downloads, simple uploads, copies and deletes share one request function.
 *   It accepts no AbortSignal, no agent (so no CA file, no client certificate, no limit of connections) and no
 *   deadline: its `timeout` has no effect.
 * - The SDK's resumable upload accepts an agent, but ignores an AbortSignal while it sends a chunk; the comment of
 *   `uploadStream` lists more.
 * - STORAGE_EMULATOR_HOST overrides the endpoint of all of them.
 *
 * The SDK's authenticated transport (`authClient.request`) has none of these limits, but takes three times the CPU for
 * a small request, and one and a half times the CPU to read an object of 200 kB.
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
  // Federated credentials ignore these options when they exchange tokens. That is why `authorization` has a deadline.
  const transporterOptions = {
    agent: (url: URL) => agentFor(url, tokenAgents),
    retryConfig: { retry: 0 },
  };
  const newAuth = () => new Storage({ credentials, clientOptions: { transporterOptions } }).authClient;
  let auth = authenticate ? newAuth() : undefined;
  const tokenMs = connectTimeoutMs + (config.http_config.response_header_timeout || longestTokenMs);
  const endpoint = new URL(apiEndpoint ?? googleEndpoint);
  let token = '';

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
      token = headers['authorization']?.replace(/^Bearer /, '') ?? '';
      return headers;
    } catch (error) {
      signal?.throwIfAborted();
      // The old client would keep waiting for the request that got no answer, so replace it.
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
    redact: (text) => redact(text, [token, ...secretsOf(credentials)]),
    close() {
      for (const pair of [agents, tokenAgents]) {
        pair.httpAgent.destroy();
        pair.httpsAgent.destroy();
      }
    },
  };
}

export function headerOf(answer: IncomingMessage, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Returns the parsed body of an answer. Throws a GcsFailure if the body is not JSON. */
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

/** Returns the values in the credentials that must never be shown. */
function secretsOf(credentials: Record<string, unknown> = {}): string[] {
  return ['private_key', 'private_key_id', 'client_secret', 'refresh_token'].flatMap((name) => {
    const value = credentials[name];
    return typeof value === 'string' ? [value] : [];
  });
}

/** Returns the text of an answer. Stops after the chunk that exceeds `maxBytes`. */
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
