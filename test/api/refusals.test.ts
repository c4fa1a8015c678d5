import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import pino from 'pino';
import { Registry } from 'prom-client';
import { failureOf } from '../../api/failures';
import type { ServerOptions } from '../../api/options';
import { buildServer, startServer } from '../../api/server';
import { parseListen } from '../../config/listen';
import { silentLog } from '../../config/log';
import { catalog, type ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import type { AllocationAnswer } from '../../query/answer';
import type { Answers } from '../../query/answers';
import { until } from '../until';
import { atOnce, rememberingFederation, token, window } from './served';

const span = { start: 1_794_614_400, end: 1_794_873_600 };
const nothing = (warnings: string[] = []): AllocationAnswer => ({
  sets: [{ window: span, rows: [] }],
  window: span,
  warnings,
});

/**
 * Makes a fake query engine whose answers have no rows. `allocations` replaces its function for allocation requests.
 */
function answering(allocations: Answers['allocations'] = async () => nothing()): Answers {
  return {
    megabytes: 1_000,
    inTurn: atOnce,
    allocations,
    assets: async () => ({ sets: [{ window: span, rows: [] }], window: span, warnings: [] }),
    autocomplete: async () => [],
    state: () => ({ empty: false, clusters: [], generation: 7 }),
  };
}

function optionsOf(answers: Answers, options: Partial<ServerOptions> = {}): ServerOptions {
  return {
    listen: '127.0.0.1:0',
    answers,
    currency: 'USD',
    aliases: defaultAliases,
    utcOffsetSeconds: 0,
    assetsFlavour: 'kubecost',
    openRead: false,
    metrics: new Registry(),
    log: silentLog,
    revision: () => '1',
    ...options,
  };
}

const url = `/allocation?window=${encodeURIComponent(window)}`;
const refusing = (error: Error) => answering(() => Promise.reject(error));
const errorBody = { data: null, message: expect.stringMatching(/^Error: /) };

describe('a query that fails', () => {
  it.each([
    ['QUERY_INVALID', 400],
    ['QUERY_NOT_BUILT', 501],
    ['QUERY_NO_DATA', 503],
    ['QUERY_BUSY', 503],
    ['QUERY_TIMEOUT', 504],
    ['QUERY_TOO_LARGE', 413],
    ['STORAGE_UNAVAILABLE', 502],
    ['INTERNAL', 500],
  ] as [ErrorCode, number][])('with %s is a %i', async (code, status) => {
    const app = await buildServer(optionsOf(refusing(new FederationError(code, { detail: 'So it is.' }))));
    const response = await app.inject(url);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code: status, ...errorBody });
    expect(response.headers['retry-after'] !== undefined).toBe(status === 503);
    await app.close();
  });

  it('unexpectedly is answered with an id only; the log has the details', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
    const error = new Error('ENOENT /var/lib/secret/place');
    const app = await buildServer(optionsOf(refusing(error), { log }));
    const response = await app.inject(url);
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toMatch(/secret|ENOENT|^\s*at /m);
    const [, id = 'none'] = /as ([0-9a-f-]{36})\./.exec(response.body) ?? [];
    const failed = lines.find((line) => line.includes('api.failed'));
    expect(failed).toContain(id);
    expect(failed).toContain('/var/lib/secret/place');
    expect(
      lines.some((line) => line.includes('"event":"api.request"') && line.includes('"status":500')),
    ).toBe(true);
    await app.close();
  });

  it('never reveals a folder of this machine', () => {
    for (const code of Object.keys(catalog) as ErrorCode[]) {
      if (code.startsWith('QUERY_') && code !== 'QUERY_DATABASE_UNUSABLE') continue;
      if (
        ['ACCESS_DENIED', 'HOST_UNKNOWN', 'CLUSTER_UNKNOWN', 'CLUSTER_ID_INVALID', 'RUN_NOT_FOUND'].includes(
          code,
        )
      )
        continue;
      if (code === 'GENERATION_UNREADABLE') continue;
      const { body } = failureOf(
        new FederationError(code, { detail: 'Could not read in file:///srv/a (/srv/b): "/srv/c".' }),
      );
      expect([code, body.includes('/srv')]).toEqual([code, false]);
    }
  });
});

describe('invalid input', () => {
  it('is answered in JSON, too', async () => {
    const app = await buildServer(optionsOf(answering(), { token, federation: rememberingFederation() }));
    for (const [path, status] of [
      ['/nowhere', 404],
      ['/model/nowhere', 404],
      ['/%zz', 400],
      [`/api/clusters/${'x'.repeat(400)}/include`, 404],
      ['/api/federations?limit=-5', 400],
      ['/api/generations/diff?from=1', 400],
      [`${url}&format=pdf`, 501],
      [`${url}&format=xlsx`, 400],
    ] as const) {
      const response = await app.inject({ url: path, headers: { authorization: `Bearer ${token}` } });
      expect([path.slice(0, 40), response.statusCode]).toEqual([path.slice(0, 40), expect.any(Number)]);
      if (status !== 404) expect([path, response.statusCode]).toEqual([path, status]);
      expect(response.json()).toMatchObject({ code: response.statusCode, ...errorBody });
    }
    await app.close();
  });

  it('is answered in JSON even if it cannot be parsed', async () => {
    const server = await startServer(optionsOf(answering()));
    const { hostname, port } = new URL(server.url);
    expect(server.address).toBe(`${hostname}:${port}`);
    const send = async (text: string) => {
      const socket = connect(Number(port), hostname);
      socket.end(text);
      return textOf(socket);
    };
    const [nonsense, long] = await Promise.all([
      send('nonsense\r\n\r\n'),
      send(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(32_768)}\r\n\r\n`),
    ]);
    expect(nonsense).toMatch(/^HTTP\/1.1 400 [^]*\{"code":400,"data":null/);
    expect(long).toMatch(/^HTTP\/1.1 431 [^]*\{"code":431,"data":null/);
    await server.close();
  });

  it('is refused as an address to listen on', () => {
    for (const listen of ['8080', 'x', ':', ':99999', '::1', '[::1]', 'a:b']) {
      expect(() => parseListen(listen, 'api.listen')).toThrow('is not an address to listen on');
    }
    expect(parseListen('[::1]:0', 'api.listen')).toEqual({ host: '::1', port: 0 });
    expect(parseListen('localhost:9003', 'api.listen')).toEqual({ host: 'localhost', port: 9_003 });
    expect(parseListen(':9003', 'api.listen').port).toBe(9_003);
  });

  it('never breaks the server, whatever the path', async () => {
    const app = await buildServer(optionsOf(answering()));
    await fc.assert(
      fc.asyncProperty(
        fc.webPath({ size: 'small' }),
        fc.constantFrom('', '/model', '/api'),
        async (path, prefix) => {
          const { statusCode, headers, body } = await app.inject(`${prefix}${path}` || '/');
          expect(statusCode).toBeLessThan(500);
          if (statusCode >= 400) {
            expect(headers['content-type']).toContain('application/json');
            expect(JSON.parse(body)).toMatchObject({ code: statusCode, ...errorBody });
          }
        },
      ),
      { numRuns: 100 },
    );
    await app.close();
  });
});

describe('a change', () => {
  const bearer = { authorization: `Bearer ${token}` };

  it('is parsed only with the token, and only as JSON', async () => {
    const federation = rememberingFederation();
    const app = await buildServer(optionsOf(answering(), { token, federation }));
    const post = (headers: Record<string, string>, payload?: string) =>
      app.inject({
        method: 'POST',
        url: '/api/federations',
        headers,
        ...(payload !== undefined && { payload }),
      });
    expect((await post({ 'content-type': 'application/json' }, '{broken')).statusCode).toBe(401);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      expect((await post({ ...bearer, 'content-type': type }, 'why=x')).statusCode).toBe(415);
    }
    expect((await post(bearer)).statusCode).toBe(415);
    const broken = await post({ ...bearer, 'content-type': 'application/json' }, '{broken');
    expect([broken.statusCode, broken.json()]).toEqual([400, expect.objectContaining(errorBody)]);
    const large = await post({ ...bearer, 'content-type': 'application/json' }, `"${'x'.repeat(70_000)}"`);
    expect([large.statusCode, large.json()]).toEqual([413, expect.objectContaining(errorBody)]);
    expect(federation.asked).toEqual([]);
    expect(
      (await post({ ...bearer, 'content-type': 'application/json; charset=utf-8' }, '{}')).statusCode,
    ).toBe(200);
    await app.close();
  });

  it('is refused with an empty token', async () => {
    const app = await buildServer(optionsOf(answering(), { token: '', federation: rememberingFederation() }));
    const response = await app.inject({
      method: 'POST',
      url: '/api/federations',
      headers: { authorization: 'Bearer ' },
      payload: {},
    });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    await app.close();
    await expect(buildServer(optionsOf(answering(), { listen: ':0', token: '' }))).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      detail: expect.stringMatching(/api\.token.*api\.openRead/),
    });
  });

  it('from another site is refused by the browser, as the preflight allows reading only', async () => {
    const app = await buildServer(optionsOf(answering(), { token }));
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/federations',
      headers: { origin: 'http://elsewhere', 'access-control-request-method': 'POST' },
    });
    expect(preflight.statusCode).toBeLessThan(300);
    expect(preflight.headers).not.toHaveProperty('access-control-allow-origin');
    expect(preflight.headers['access-control-allow-methods']).not.toContain('POST');
    await app.close();
  });
});

it('the status shows the served data even if the federation cannot be reached', async () => {
  const unavailable = new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'No Temporal server answers.' });
  const federation = { ...rememberingFederation(), status: () => Promise.reject(unavailable) };
  const app = await buildServer(optionsOf(answering(), { federation }));
  const response = await app.inject('/api/status');
  expect(response.json()).toMatchObject({
    code: 200,
    data: {
      missing: [
        'The state of the federation could not be read: No Temporal server answers. (TEMPORAL_UNAVAILABLE)',
      ],
    },
  });
  expect((await app.inject('/clusterInfoMap')).statusCode).toBe(200);
  await app.close();
});

describe('answering', () => {
  it('takes one query for simultaneous requests; metrics count the origins of answers', async () => {
    let asked = 0;
    let requests = 0;
    const bothAsk = Promise.withResolvers<void>();
    const metrics = new Registry();
    const app = await buildServer(
      optionsOf(
        answering(async () => {
          asked++;
          await bothAsk.promise;
          // Keep the query running until the next turn of the event loop. Otherwise, the query could end before the
          // second request waits for it.
          await nextTurn();
          return nothing(['Ünsure\nof it.', 'And of that.']);
        }),
        {
          metrics,
          now: () => {
            requests += 1;
            if (requests === 2) bothAsk.resolve();
            return span.end + 60;
          },
        },
      ),
    );
    const both = Promise.all([app.inject(url), app.inject(`${url}&resolution=1m`)]);
    const [first, second] = await both;
    expect([asked, second.body]).toEqual([1, first.body]);
    expect(first.headers['server-timing']).toMatch(/^query;dur=[\d.]+, render;dur=[\d.]+, total;dur=[\d.]+$/);
    expect(second.headers['server-timing']).toBe('cache;desc="shared"');
    expect(first.json()).toMatchObject({ data: [{}], warning: 'Ünsure\nof it; And of that.' });
    expect(first.headers['x-federated-etl-warning']).toBe('?nsure?of it; And of that.');
    await app.inject({ url, headers: { 'if-none-match': String(first.headers['etag']) } });
    await app.inject(url);
    const text = await metrics.metrics();
    for (const from of ['query', 'shared', 'client', 'cache']) {
      expect(text).toContain(`federated_etl_api_answers_total{from="${from}"} 1`);
    }
    await app.close();
  });

  it('changes with the generation, but not with the time for closed windows', async () => {
    let revision = '1';
    let now = span.end + 60;
    const app = await buildServer(optionsOf(answering(), { revision: () => revision, now: () => now }));
    const tag = async (path = url) => (await app.inject(path)).headers['etag'];
    const first = await tag();
    now += 86_400;
    expect(await tag()).toBe(first);
    expect(await tag('/allocation?window=yesterday')).not.toBe(first);
    revision = '2';
    expect(await tag()).not.toBe(first);
    await app.close();
  });

  it('is stopped when the client leaves, which is not an error', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
    let begun: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (begun = resolve));
    let stopped: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (stopped = resolve));
    const answers = answering(
      (_, { signal } = {}) =>
        new Promise((__, reject) => {
          begun();
          signal?.addEventListener('abort', () => {
            stopped();
            reject(signal.reason as Error);
          });
        }),
    );
    const server = await startServer(optionsOf(answers, { log }));
    const client = new AbortController();
    const asking = fetch(`${server.url}${url}`, { signal: client.signal });
    await started;
    client.abort();
    await expect(asking).rejects.toThrow();
    await ended;
    await server.close();
    expect(lines.filter((line) => line.includes('api.failed'))).toEqual([]);
  });

  it('is completed when the server is stopped', async () => {
    const [started, stopping] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const answers = answering(async () => {
      started.resolve();
      await stopping.promise;
      return nothing();
    });
    const server = await startServer(optionsOf(answers));
    const asking = fetch(`${server.url}${url}`);
    await started.promise;
    const closing = server.close();
    await until('the server refuses new requests', () =>
      fetch(`${server.url}/healthz`).then(
        ({ status }) => status === 503 || undefined,
        () => true,
      ),
    );
    stopping.resolve();
    expect((await asking).status).toBe(200);
    await closing;
  });
});
