import cors from '@fastify/cors';
import type { Payload, PayloadCodec } from '@temporalio/common';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CodecSettings } from '../config/codec-settings';
import { FederationError } from '../errors/federation-error';
import { isKeyError } from '../errors/key-errors';
import { same, tokensOf } from './access';
import { failure, failureOf } from './failures';
import { listenOn, type RunningServer } from './listen';
import type { ServerOptions } from './options';
import { slowly, WrongTokens } from './wrong-tokens';

/** Enough for the largest message that Temporal accepts (4 MiB), in base64. */
const mostBodyBytes = 8 * 2 ** 20;

export interface CodecOptions
  extends Pick<ServerOptions, 'log' | 'now' | 'wait'>, Omit<CodecSettings, 'token'> {
  /** Returns the token that is valid now. Without a token, nobody has access. */
  token(this: void): string | undefined;
  readonly codec: PayloadCodec;
}

/** Payloads in the JSON form of protobuf, in which bytes are base64. */
const bodySchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), z.base64()).optional(), data: z.base64().optional() }))
    .default([]),
});
type Body = z.infer<typeof bodySchema>;

/** Starts the codec endpoint. Throws SETTINGS_INVALID if it cannot listen on its address. */
export async function startCodec(options: CodecOptions): Promise<RunningServer> {
  return listenOn(await buildCodec(options), options.listen, 'temporal.codec.listen');
}

/**
 * Builds the codec endpoint, which Temporal's UI and CLI ask to decrypt and encrypt payloads. Speaks Temporal's protocol
 * for remote codecs: `POST /decode` and `POST /encode`, with payloads in a JSON object. Every request needs the token.
 *
 * Leaves payloads alone that it cannot decrypt: the UI and the CLI ask for many at once, and some may be older than the
 * keys.
 */
export async function buildCodec({
  token,
  origins,
  codec,
  log,
  now = () => Date.now() / 1_000,
  wait = slowly,
}: CodecOptions): Promise<FastifyInstance> {
  const wrongTokens = new WrongTokens({
    now,
    wait,
    delayed: (address) =>
      log.warn(
        { event: 'codec.wrong-tokens', address },
        `Many wrong tokens for the codec endpoint come from ${address}. Answers to its wrong tokens are delayed.`,
      ),
  });
  const app = fastify({
    bodyLimit: mostBodyBytes,
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
  });
  await app.register(cors, {
    origin: [...origins],
    methods: ['POST', 'OPTIONS'],
    allowedHeaders: ['authorization', 'content-type', 'x-namespace'],
    maxAge: 600,
  });
  app.addHook('onRequest', async ({ method, headers, ip }, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    if (method === 'OPTIONS') return;
    const valid = token();
    const given = tokensOf(headers);
    if (valid !== undefined && given.length > 0 && given.every((one) => same(one, valid))) return;
    if (given.length > 0) await wrongTokens.slowDown(ip);
    throw new FederationError('ACCESS_DENIED', {
      detail: given.length > 0 ? 'The token is wrong.' : 'The token is missing.',
      hint: 'Send `Authorization: Bearer` with temporal.codec.token.',
    });
  });
  app.setErrorHandler((error, { method, url }, reply) => {
    const { status, body, headers, id } = failureOf(error);
    if (id !== undefined)
      log.error({ event: 'codec.failed', id, err: error }, `${method} ${url} of the codec endpoint failed`);
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
  });
  app.setNotFoundHandler((_, reply) => {
    const { status, body } = failure(404, 'Here are only POST /encode and POST /decode.');
    return reply.code(status).type('application/json; charset=utf-8').send(body);
  });
  const decodeEach = async (payloads: Payload[]) =>
    Promise.all(
      payloads.map(async (payload) =>
        codec.decode([payload]).catch((error: unknown) => {
          if (isKeyError(error)) return [payload];
          throw error;
        }),
      ),
    ).then((decoded) => decoded.flat());
  app.post('/encode', async ({ body }) => toBody(await codec.encode(payloadsIn(body))));
  app.post('/decode', async ({ body }) => toBody(await decodeEach(payloadsIn(body))));
  return app;
}

/** Throws QUERY_INVALID if a body does not have payloads. */
function payloadsIn(body: unknown): Payload[] {
  const { success, data } = bodySchema.safeParse(body);
  if (!success)
    throw new FederationError('QUERY_INVALID', {
      detail: 'The body is not a JSON object with payloads.',
      hint: 'Send {"payloads": […]}, with metadata and data in base64.',
    });
  return data.payloads.map(({ metadata = {}, data: bytes = '' }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, fromBase64(value)])),
    data: fromBase64(bytes),
  }));
}

function toBody(payloads: readonly Payload[]): Body {
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, value]) => [name, toBase64(value)]),
      ),
      data: toBase64(data),
    })),
  };
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function toBase64(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64');
}
