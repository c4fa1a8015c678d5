import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { untilAborted } from '../body';
import { connectTimeoutMs, httpAgents } from '../http-agents';
import { redact } from '../secret';
import { retryAfterOf } from '../store-failure';
import { gcsCredentials, type GcsConfig } from './gcs-config';
import { noToken, notTheStore, refusal } from './gcs-errors';

const googleEndpoint = 'https://storage.googleapis.com';
/** How long a token may take where the store may be silent for ever. */
const longestTokenMs = 60_000;
const maxJsonBytes = 32 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

export interface GcsOptions {
  /** Where an emulator is, in place of Google. */
  readonly apiEndpoint?: string;
  /** Whether a token is sent. An emulator gets none unless told so. */
  readonly authenticate?: boolean;
}

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With everything encoded that has to be. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
  /** A status besides those of success that is an answer, no failure. */
  readonly alsoFine?: number;
}

/** The JSON API of Google Cloud Storage. */
export interface GcsClient {
  /** The answer, its body unread: to be read or destroyed. Throws a GcsFailure or an error of the network. */
  send(request: GcsRequest): Promise<IncomingMessage>;
  /** What the answer holds. Throws as `send` does, and when that is no JSON. */
  json(request: GcsRequest): Promise<unknown>;
  /** Without the token and the secrets of the credentials. */
  redact(text: string): string;
  close(): void;
}

/**
 * Loads the SDK, for what is hard about it: the search for credentials, and tokens. Requests are made here, as the SDK's
 * own can be neither aborted nor given connections or deadlines, and STORAGE_EMULATOR_HOST would turn them elsewhere.
 * Each is one attempt.
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
  // Federated credentials take no notice of these when they trade their tokens, hence the deadline.
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
      () => late.abort(Object.assign(new Error(`none within ${tokenMs} ms`), { code: 'ETIMEDOUT' })),
      tokenMs,
    );
    try {
      const found = untilAborted(auth.getRequestHeaders(url.href), late.signal);
      const headers = Object.fromEntries(await untilAborted(found, signal));
      token = headers['authorization']?.replace(/^Bearer /, '') ?? '';
      return headers;
    } catch (error) {
      signal?.throwIfAborted();
      // It would wait for the same silent answer for ever.
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

/** What an answer holds. Throws a GcsFailure when that is no JSON. */
export async function readJson(answer: IncomingMessage): Promise<unknown> {
  const text = await readText(answer, maxJsonBytes);
  try {
    return JSON.parse(text);
  } catch {
    throw notTheStore('JSON was asked for, and what came was none');
  }
}

type Agents = ReturnType<typeof httpAgents>;

function agentFor({ protocol }: URL, { httpAgent, httpsAgent }: Agents): Agents['httpAgent'] {
  return protocol === 'http:' ? httpAgent : httpsAgent;
}

/** What must not be shown of the credentials. */
function secretsOf(credentials: Record<string, unknown> = {}): string[] {
  return ['private_key', 'private_key_id', 'client_secret', 'refresh_token'].flatMap((name) => {
    const value = credentials[name];
    return typeof value === 'string' ? [value] : [];
  });
}

/** The answer's text, or its beginning when it is longer than that. */
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
