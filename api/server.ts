import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { knownError } from '../errors/known-error';
import { ownValue } from '../etl/own-value';
import { visibleMetrics } from '../etl/visible-text';
import { Access, allowedOrigins } from './access';
import { type Failure, failure, failureOf } from './failures';
import { Hosts } from './hosts';
import { listenOn, type RunningServer } from './listen';
import { registerMetrics } from './metrics';
import { openApi } from './openapi';
import type { ServerOptions } from './options';
import { registerOwnRoutes } from './own-routes';
import { docsPolicy, registerPage, sendPage } from './page';
import { registerQueryRoutes } from './query-routes';

/** Minimum size of answers that are compressed, in bytes. Compressing smaller answers costs more time than it saves. */
const leastCompressed = 1_024;
const mostBodyBytes = 64 * 1_024;

/**
 * Starts the server of the API and the web page. Throws SETTINGS_INVALID if other machines can reach the server
 * but neither a token nor `openRead` is set, or if it cannot listen on its address.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  return listenOn(await buildServer(options), options.listen, 'api.listen');
}

/** Builds the server without listening on an address. Tests send their requests with `inject`. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { answers, log, metrics, now = () => Date.now() / 1_000 } = options;
  const access = new Access(options);
  const hosts = new Hosts(options);
  const app = fastify({
    bodyLimit: mostBodyBytes,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    requestTimeout: 60_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    frameworkErrors: (error, _, reply) => void answerFailure(reply, failureOf(error)),
    clientErrorHandler: refuseUnreadable,
  });
  await app.register(cors, {
    origin: allowedOrigins(options),
    methods: ['GET', 'HEAD', 'OPTIONS'],
    exposedHeaders: [
      'etag',
      'server-timing',
      'x-federated-etl-generation',
      'x-federated-etl-data-until',
      'x-federated-etl-warning',
    ],
  });
  await app.register(compress, {
    threshold: leastCompressed,
    encodings: ['br', 'gzip'],
    brotliOptions: { params: { 1: 4 } },
  });
  await app.register(swagger, { mode: 'static', specification: { document: openApi() } });
  await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: docsPolicy });

  const observed = registerMetrics(metrics, answers, now);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    const { url } = request.routeOptions;
    if (url === '/healthz' || url === '/readyz') return;
    if (access.open) hosts.require(request.headers);
    if (
      url === undefined ||
      openRoutes.has(url) ||
      url.startsWith('/api/docs') ||
      request.method === 'OPTIONS'
    )
      return;
    if (request.method !== 'POST') await access.requireRead(request);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    observed.observe(route, reply.statusCode, reply.elapsedTime / 1_000);
    const tokenName = access.nameOf(request.headers);
    log.debug(
      {
        event: 'api.request',
        route,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
        ...(tokenName !== undefined && { tokenName }),
      },
      `${request.method} ${route} ${reply.statusCode}`,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const failed = failureOf(error);
    if (failed.id !== undefined) {
      log.error(
        { event: 'api.failed', id: failed.id, err: error },
        `${request.method} ${request.url} failed`,
      );
    } else if (failed.status >= 500) {
      const { code, message } = knownError(error);
      log.warn(
        { event: 'api.failed', status: failed.status, code },
        `${request.method} ${request.url}: ${message}`,
      );
    }
    return answerFailure(reply, failed);
  });
  app.setNotFoundHandler((request, reply) => {
    if (sendPage(request, reply, options.page)) return reply;
    return answerFailure(reply, failure(404, `There is no ${request.url.split('?')[0]} here.`));
  });

  app.get('/healthz', (_, reply) => reply.code(200).type('text/plain').send(''));
  app.get('/readyz', (_, reply) => {
    const { empty } = answers.state();
    return reply
      .code(empty ? 503 : 200)
      .type('text/plain')
      .send(empty ? 'nothing was ingested yet\n' : '');
  });
  app.get('/metrics', async (_, reply) =>
    reply.type(metrics.contentType).send(visibleMetrics(await metrics.metrics())),
  );
  app.get('/api/openapi.json', (_, reply) => reply.send(openApi()));
  registerQueryRoutes(app, options, access, observed);
  registerOwnRoutes(app, options, access);
  registerPage(app, options.page);
  return app;
}

/**
 * Answers a request that the HTTP parser rejected because the request is malformed, its headers are too long, or it
 * arrives too slowly.
 */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = ownValue(unreadable, error.code ?? '') ?? 400;
  const { body } = failure(status, 'The request cannot be read.');
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

const unreadable: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** Routes that need no token, because they show no costs. `/healthz` and `/readyz` are never checked at all. */
const openRoutes = new Set(['/', '/page/*', '/api/openapi.json']);

function answerFailure(reply: FastifyReply, { status, body, headers }: Failure): FastifyReply {
  return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
}
