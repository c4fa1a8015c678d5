import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { Registry } from 'prom-client';
import { openApi } from '../../api/openapi';
import { startServer } from '../../api/server';
import { WrongTokens } from '../../api/wrong-tokens';
import { silentLog } from '../../config/log';
import { FederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import type { Answers } from '../../query/answers';
import { goldenEngine } from '../query/engine-over';
import { ask, atOnce, rememberingFederation, serverOver, token, window } from './served';

let engine: Awaited<ReturnType<typeof goldenEngine>>;
beforeAll(async () => {
  engine = await goldenEngine();
});
afterAll(() => engine.dispose());

const bearer = { authorization: `Bearer ${token}` };

describe('reading', () => {
  it.each([
    ['on this machine', { listen: '127.0.0.1:0' }, 200, 200],
    ['from anywhere, with openRead', { listen: ':0', openRead: true }, 200, 200],
    ['from anywhere, with a token', { listen: '0.0.0.0:0', token }, 401, 200],
  ])('%s', async (_, options, without, withToken) => {
    const app = await serverOver(engine, options);
    try {
      expect((await ask(app, '/allocation', { window })).status).toBe(without);
      expect((await ask(app, '/allocation', { window }, bearer)).status).toBe(withToken);
      expect((await ask(app, '/allocation', { window }, { authorization: 'Bearer wrong' })).status).toBe(
        without,
      );
      expect((await ask(app, '/healthz')).status).toBe(200);
    } finally {
      await app.close();
    }
  });

  it('without a token shows only whether the server runs, the page and the description of the API', async () => {
    const app = await serverOver(engine, { listen: ':0', token, federation: rememberingFederation() });
    const paths = Object.keys(openApi()['paths'] as object).map((path) => path.replace(/\{[^}]*\}/g, 'x'));
    expect(paths.length).toBeGreaterThan(10);
    const open = ['/healthz', '/readyz', '/api/openapi.json'];
    for (const path of new Set([...paths, ...paths.map((one) => `/model${one}`), ...open, '/metrics'])) {
      for (const method of ['GET', 'HEAD', 'POST'] as const) {
        const { statusCode } = await app.inject({
          method,
          url: path,
          payload: method === 'POST' ? {} : undefined,
        });
        const isOpen = statusCode === 200 && open.includes(path);
        expect([method, path, isOpen || statusCode === 401 || statusCode === 404]).toEqual([
          method,
          path,
          true,
        ]);
      }
    }
    expect((await ask(app, '/metrics')).status).toBe(401);
    expect((await ask(app, '/metrics', {}, bearer)).text).toContain('federated_etl_');
    await app.close();
  });

  it('beyond this machine needs openRead or a token', async () => {
    await expect(serverOver(engine, { listen: ':9003' })).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      subject: { setting: 'api.token' },
    });
  });
});

describe('changing', () => {
  const post = (app: Awaited<ReturnType<typeof serverOver>>, url: string, body: object, headers = {}) =>
    app.inject({ method: 'POST', url, payload: body, headers });

  it('needs the token, and reports the result', async () => {
    const federation = rememberingFederation();
    const app = await serverOver(engine, { federation, token });
    try {
      expect((await post(app, '/api/clusters/cluster-1/exclude', { reason: 'odd' })).statusCode).toBe(401);
      expect((await post(app, '/api/federations', {}, { authorization: 'Bearer nope' })).statusCode).toBe(
        401,
      );
      expect(federation.asked).toEqual([]);
      const done = await post(app, '/api/clusters/cluster-1/exclude', { reason: 'odd prices' }, bearer);
      expect(done.json()).toMatchObject({ code: 200, data: { message: 'exclude cluster-1 odd prices.' } });
      await post(app, '/api/clusters/cluster%2D1/include', {}, bearer);
      await post(app, '/api/federations', { why: 'month end' }, bearer);
      await post(app, '/api/federations/federation-x/replay', {}, bearer);
      expect(federation.asked).toEqual([
        'exclude cluster-1 odd prices',
        'include cluster-1',
        'federate month end',
        'replay federation-x',
      ]);
      // The server must refuse forms, because a page on another site can make a browser send one. Such a page cannot
      // send JSON: the browser would first send a preflight request, which this server denies.
      const form = await app.inject({
        method: 'POST',
        url: '/api/federations',
        payload: 'why=x',
        headers: { ...bearer, 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(form.statusCode).toBe(415);
    } finally {
      await app.close();
    }
  });

  it('needs the token that is valid now', async () => {
    let valid = 'old';
    const app = await serverOver(engine, {
      federation: rememberingFederation(),
      listen: ':0',
      token: () => valid,
    });
    const read = async (given: string) =>
      (await app.inject({ url: '/api/status', headers: { authorization: `Bearer ${given}` } })).statusCode;
    expect(await read('old')).toBe(200);
    valid = 'new';
    expect([await read('old'), await read('new')]).toEqual([401, 200]);
    await app.close();
  });

  it('is refused if no token is configured', async () => {
    const app = await serverOver(engine, { federation: rememberingFederation() });
    try {
      const { statusCode, body } = await post(app, '/api/federations', {}, bearer);
      expect(statusCode).toBe(401);
      expect(body).toContain('no operator token is configured');
      expect((await ask(app, '/api/status')).data.canAct).toBe(false);
    } finally {
      await app.close();
    }
  });

  it('reports errors about the cluster or Temporal without further details', async () => {
    const failing = {
      ...rememberingFederation(),
      exclude: () =>
        Promise.reject(new FederationError('CLUSTER_UNKNOWN', { detail: 'There is no cluster x.' })),
      federate: () =>
        Promise.reject(
          new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'No Temporal server answers.' }),
        ),
      replay: () => Promise.reject(new TypeError('secret of /work/somewhere')),
    };
    const app = await serverOver(engine, { federation: failing, token });
    try {
      expect((await post(app, '/api/clusters/x/exclude', {}, bearer)).statusCode).toBe(404);
      const temporal = await post(app, '/api/federations', {}, bearer);
      expect([temporal.statusCode, temporal.body]).toEqual([
        502,
        expect.stringContaining('TEMPORAL_UNAVAILABLE'),
      ]);
      const unforeseen = await post(app, '/api/federations/x/replay', {}, bearer);
      expect(unforeseen.statusCode).toBe(500);
      expect(unforeseen.body).not.toContain('/work');
    } finally {
      await app.close();
    }
  });
});

describe('read tokens', () => {
  const grafana = { name: 'grafana', token: 'open-grafana' };
  const billing = { name: 'billing', token: 'open-billing' };

  it('read, change nothing, and are named in the log but never shown', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const federation = rememberingFederation();
    let readTokens = [grafana, billing];
    const options = { federation, log, token, readTokens: () => readTokens };
    const app = await serverOver(engine, { ...options, listen: ':0' });
    const read = async (headers: Record<string, string>) =>
      (await ask(app, '/getConfigs', {}, headers)).status;
    const change = async (headers: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/api/federations', payload: {}, headers });
    const asGrafana = { authorization: `Bearer ${grafana.token}` };
    const asBilling = { 'x-api-key': billing.token };
    expect([await read(asGrafana), await read(asBilling), await read({}), await read(bearer)]).toEqual([
      200, 200, 401, 200,
    ]);
    expect(await read({ ...asGrafana, 'x-api-key': 'wrong' })).toBe(401);
    expect(await read({ ...bearer, ...asBilling })).toBe(200);
    for (const headers of [asGrafana, { ...bearer, ...asBilling }])
      expect((await change(headers)).statusCode).toBe(401);
    expect((await change(asGrafana)).body).toContain('The token grafana may only read');
    expect((await change(bearer)).statusCode).toBe(200);
    expect(federation.asked).toHaveLength(1);

    readTokens = [{ ...grafana, token: 'open-again' }];
    expect([await read(asGrafana), await read(asBilling), await read({ 'x-api-key': 'open-again' })]).toEqual(
      [401, 401, 200],
    );
    await app.close();

    const named = lines.map((line) => (JSON.parse(line) as { tokenName?: string }).tokenName);
    expect(named.slice(0, 4)).toEqual(['grafana', 'billing', undefined, 'operator token']);
    for (const secret of [token, grafana.token, billing.token, 'open-again', 'wrong'])
      expect(lines.join('')).not.toContain(secret);
  });

  it('are enough to be reachable from other machines, but not to change anything', async () => {
    const app = await serverOver(engine, { listen: ':0', readTokens: () => [grafana] });
    const headers = { 'x-api-key': grafana.token };
    expect((await ask(app, '/api/status', {}, headers)).data.canAct).toBe(false);
    const changed = await app.inject({ method: 'POST', url: '/api/federations', payload: {}, headers });
    expect(changed.body).toContain('no operator token is configured');
    await app.close();
    await expect(serverOver(engine, { listen: ':0', readTokens: () => [] })).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
    });
  });

  it('are optional with openRead, but still named in the log', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
    const app = await serverOver(engine, { listen: ':0', openRead: true, log, readTokens: () => [grafana] });
    for (const given of ['', 'wrong', grafana.token])
      expect((await ask(app, '/getConfigs', {}, { 'x-api-key': given })).status).toBe(200);
    await app.close();
    expect(lines.filter((line) => line.includes('"tokenName":"grafana"'))).toHaveLength(1);
  });
});

describe('wrong tokens', () => {
  /** Starts a server at a time that only `pass` moves. `waits` are the delays of answers, in seconds. */
  async function guarded() {
    let moment = 1_000;
    const waits: number[] = [];
    const warnings: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
    const app = await serverOver(engine, {
      federation: rememberingFederation(),
      listen: ':0',
      token,
      log,
      now: () => moment,
      wait: async (milliseconds) => void waits.push(milliseconds / 1_000),
    });
    const send = async (given: string, remoteAddress = '10.0.0.7', method: 'GET' | 'POST' = 'GET') => {
      const headers = given === '' ? {} : { authorization: `Bearer ${given}` };
      const url = method === 'GET' ? '/getConfigs' : '/api/federations';
      const payload = method === 'GET' ? undefined : {};
      const { statusCode } = await app.inject({ method, url, payload, headers, remoteAddress });
      return [statusCode, ...waits.splice(0)];
    };
    return { app, send, warnings, pass: (seconds: number) => (moment += seconds) };
  }

  it('are answered ever later, up to 30 seconds; right and missing ones are not', async () => {
    const { app, send, warnings, pass } = await guarded();
    for (let turn = 0; turn < 5; turn += 1) expect(await send(`wrong ${turn}`)).toEqual([401]);
    expect(warnings).toEqual([]);
    expect([await send('wrong'), await send('wrong', '10.0.0.7', 'POST')]).toEqual([
      [401, 1],
      [401, 2],
    ]);
    expect(warnings).toEqual([expect.stringMatching(/"event":"api.wrong-tokens".*from 10\.0\.0\.7\./)]);
    expect(warnings.join('')).not.toContain('wrong 0');
    expect([await send(token), await send(token, '10.0.0.7', 'POST'), await send('')]).toEqual([
      [200],
      [200],
      [401],
    ]);
    expect(await send('wrong', '10.0.0.8')).toEqual([401]);
    pass(2);
    expect(await send('wrong')).toEqual([401, 1]);
    for (let turn = 0; turn < 40; turn += 1) await send('wrong');
    expect(await send('wrong')).toEqual([401, 30]);
    pass(34);
    expect(await send('wrong')).toEqual([401]);
    pass(3_600);
    for (let turn = 0; turn < 5; turn += 1) expect(await send('wrong')).toEqual([401]);
    expect(warnings).toHaveLength(1);
    expect(await send('wrong')).toEqual([401, 1]);
    expect(warnings).toHaveLength(2);
    await app.close();
  });

  it('count for a network in IPv6, and for one address in IPv4', async () => {
    const { app, send } = await guarded();
    const addresses = [
      'fd00:0:0:1::1',
      'fd00::1:2:3:4:5',
      'fd00:0:0:1:9::',
      'fd00:0:0:1:a:b:c:d',
      'fd00::1:0:0:0:1',
    ];
    for (const address of addresses) expect(await send('wrong', address)).toEqual([401]);
    expect(await send('wrong', 'fd00:0:0:1::ffff')).toEqual([401, 1]);
    expect(await send('wrong', 'fd00:0:0:2::1')).toEqual([401]);
    for (let turn = 0; turn < 5; turn += 1) await send('wrong', '::ffff:10.0.0.9');
    expect([await send('wrong', '10.0.0.9'), await send('wrong', '::ffff:10.0.0.10')]).toEqual([
      [401, 1],
      [401],
    ]);
    await app.close();
  });

  it('are remembered for a bounded number of addresses, and delay a bounded number of answers', async () => {
    const ends: (() => void)[] = [];
    const wait = () => new Promise<void>((resolve) => void ends.push(resolve));
    const wrong = new WrongTokens({ now: () => 1_000, wait, delayed: () => undefined });
    for (let turn = 0; turn < 30_000; turn += 1)
      await wrong.slowDown(`10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}`);
    expect(wrong.size).toBe(10_000);
    for (let turn = 0; turn < 5; turn += 1) await wrong.slowDown('10.9.9.9');
    const held = Array.from({ length: 1_000 }, () => wrong.slowDown('10.9.9.9'));
    await wrong.slowDown('10.9.9.9');
    expect(ends).toHaveLength(1_000);
    ends.forEach((end) => end());
    await Promise.all(held);
    void wrong.slowDown('10.9.9.9');
    expect(ends).toHaveLength(1_001);
  });
});

describe('clients', () => {
  it('are known by the name of their token, otherwise by their address', async () => {
    const clients: (string | undefined)[] = [];
    const answers: Answers = {
      megabytes: 1_000,
      inTurn: atOnce,
      allocations: async (_, asker) => {
        clients.push(asker?.client);
        return { sets: [], window: { start: 0, end: 1 }, warnings: [] };
      },
      assets: (request, asker) => engine.assets(request, asker),
      autocomplete: (request, asker) => engine.autocomplete(request, asker),
      state: () => engine.state(),
    };
    const readTokens = () => [{ name: 'grafana', token: 'one' }];
    const app = await serverOver(answers, { openRead: true, listen: ':0', token, readTokens });
    const requests = [
      { headers: bearer },
      { headers: { 'x-api-key': 'one' } },
      { headers: { authorization: 'Bearer one' } },
      { headers: { authorization: 'Bearer wrong', 'x-forwarded-for': '10.0.0.7' } },
      { remoteAddress: '10.0.0.8' },
      { remoteAddress: '::ffff:10.0.0.8' },
      { remoteAddress: 'fd00:0:0:1:a:b:c:d' },
    ];
    for (const [index, request] of requests.entries())
      await app.inject({ url: '/allocation', query: { window: `${index + 1}d` }, ...request });
    expect(clients).toEqual([
      'operator token',
      'grafana',
      'grafana',
      '127.0.0.1',
      '10.0.0.8',
      '10.0.0.8',
      'fd00:0:0:1::/64',
    ]);
    await app.close();
  });
});

describe('an API key', () => {
  const headers: [Record<string, string>, number][] = [
    [{ 'x-api-key': token }, 200],
    [{ 'X-API-KEY': token, ...bearer }, 200],
    [{ 'x-api-key': token, authorization: 'Basic dXNlcjpwdw==' }, 200],
    [{ ...bearer, 'x-api-key': '' }, 200],
    [{}, 401],
    [{ 'x-api-key': '' }, 401],
    [{ 'x-api-key': 'wrong' }, 401],
    [{ 'x-api-key': `Bearer ${token}` }, 401],
    [{ ...bearer, 'x-api-key': 'wrong' }, 401],
    [{ 'x-api-key': token, authorization: 'Bearer wrong' }, 401],
    [{ 'x-api-key': token, authorization: `Bearer ${token} ${token}` }, 401],
  ];

  it('is the token in another header, for reading and changing, and does not override a wrong token', async () => {
    const federation = rememberingFederation();
    const app = await serverOver(engine, { federation, listen: '0.0.0.0:0', token });
    for (const [given, status] of headers) {
      const read = await ask(app, '/allocation', { window }, given);
      const changed = await app.inject({
        method: 'POST',
        url: '/api/federations',
        payload: {},
        headers: given,
      });
      expect([given, read.status, changed.statusCode]).toEqual([given, status, status]);
    }
    expect(federation.asked).toHaveLength(4);
    await app.close();
  });
});

describe('pages of other origins', () => {
  const here = [
    'http://localhost:3000',
    'https://localhost',
    'http://127.0.0.1:9003',
    'http://127.8.9.10',
    'http://[::1]:8080',
  ];
  const elsewhere = [
    'http://evil.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://evil.example:80/localhost',
    'http://10.0.0.1',
    'http://127.0.0.1@evil.example',
    'chrome-extension://localhost',
    'null',
  ];
  const grafana = 'https://grafana.example';

  it.each<[string, { openRead?: boolean; origins?: string[] }, string[], string[]]>([
    ['of this machine only', {}, here, [...elsewhere, grafana]],
    ['that are listed only', { origins: [grafana] }, [grafana], [...here, ...elsewhere]],
    ['that are listed, also with openRead', { openRead: true, origins: [grafana] }, [grafana], elsewhere],
    ['of none, if the list is empty', { origins: [] }, [], [...here, ...elsewhere]],
  ])('may read: those %s', async (_, options, allowed, refused) => {
    const app = await serverOver(engine, options);
    const answerTo = async (method: 'GET' | 'OPTIONS', url: string, origin: string) => {
      const { headers, statusCode } = await app.inject({
        method,
        url,
        headers: {
          origin,
          ...(method === 'OPTIONS' && {
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'x-api-key',
          }),
        },
      });
      expect(headers['vary']).toMatch(/origin/i);
      return [statusCode, headers['access-control-allow-origin']];
    };
    const url = `/allocation?window=${encodeURIComponent(window)}`;
    for (const origin of [...allowed, ...refused]) {
      const expected = allowed.includes(origin) ? origin : undefined;
      expect(await answerTo('GET', url, origin)).toEqual([200, expected]);
      expect(await answerTo('OPTIONS', url, origin)).toEqual([204, expected]);
      expect(await answerTo('GET', '/nowhere', origin)).toEqual([404, expected]);
    }
    await app.close();
  });

  it.each([{ openRead: true }, { origins: ['*'] }, { origins: [grafana, '*'] }])(
    'may all read: %j',
    async (options) => {
      const app = await serverOver(engine, options);
      for (const origin of [...here, ...elsewhere, grafana]) {
        const { headers } = await ask(app, '/getConfigs', {}, { origin });
        expect(headers['access-control-allow-origin']).toBe('*');
      }
      await app.close();
    },
  );

  it('may send the token in either header, but change nothing', async () => {
    const app = await serverOver(engine, { token });
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/federations',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-api-key',
      },
    });
    expect(preflight.headers['access-control-allow-headers']).toBe('authorization,x-api-key');
    expect(preflight.headers['access-control-allow-methods']).not.toContain('POST');
    await app.close();
  });
});

describe('host names', () => {
  const own = [
    'localhost:9003',
    'localhost',
    'LocalHost.:1',
    'costs.localhost:9003',
    '127.0.0.1:9003',
    '10.0.0.7',
    '[::1]:9003',
    '[fd00::7]',
    `${hostname()}:9003`,
  ];
  const foreign = [
    'evil.example',
    'evil.example:9003',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:80:localhost',
    '[evil.example]:80',
    'localhost@evil.example',
    'evillocalhost',
    'fe',
    '*',
  ];
  const service = ['fe', 'fe.kubecost', 'fe.kubecost.svc', 'Costs.Example'];
  const statusOf = async (app: FastifyInstance, host: string, url: string, headers = {}) =>
    (await app.inject({ url, headers: { host, ...headers } })).statusCode;
  const paths = [
    `/allocation?window=${encodeURIComponent(window)}`,
    '/model/getConfigs',
    '/api/status',
    '/metrics',
    '/api/openapi.json',
    '/nowhere',
  ];

  it.each([{ token }, { listen: ':0', openRead: true }])(
    'are checked if reading needs no token: %j',
    async (options) => {
      const app = await serverOver(engine, { ...options, hosts: service });
      for (const path of paths) {
        const found = path === '/nowhere' ? 404 : 200;
        for (const host of [...own, ...service, 'fe.kubecost.:80'])
          expect([host, path, await statusOf(app, host, path)]).toEqual([host, path, found]);
        for (const host of foreign.filter((name) => name !== 'fe'))
          expect([host, path, await statusOf(app, host, path, bearer)]).toEqual([host, path, 421]);
      }
      const refused = await ask(app, '/getConfigs', {}, { host: 'evil.example' });
      expect(refused.message).toMatch(/'evil\.example'.*api\.hosts/);
      for (const probe of ['/healthz', '/readyz'])
        expect(await statusOf(app, 'evil.example', probe)).toBe(200);
      await app.close();
    },
  );

  it.each([
    ['are not checked if reading needs the token', { listen: ':0', token }],
    ['are all allowed by *', { hosts: ['*'] }],
  ])('%s', async (_, options) => {
    const app = await serverOver(engine, options);
    for (const host of [...own, ...foreign])
      expect(await statusOf(app, host, '/getConfigs', bearer)).toBe(200);
    await app.close();
  });

  it('of the Kubernetes API server are allowed to programs that it forwards', async () => {
    const app = await serverOver(engine, { listen: ':0', openRead: true });
    const forwarded = async (uri: string, headers = {}) =>
      statusOf(app, 'abc.eks.example:443', '/getConfigs', { 'x-forwarded-uri': uri, ...headers });
    const service = '/api/v1/namespaces/kubecost/services/fe:9003/proxy/getConfigs';
    const gzip = { 'accept-encoding': 'gzip', 'user-agent': 'kubectl/v1.36.0' };
    expect(await forwarded(service, gzip)).toBe(200);
    expect(await forwarded('/api/v1/namespaces/kubecost/pods/fe-0:9003/proxy/getConfigs', gzip)).toBe(200);
    expect(await forwarded('/getConfigs', gzip)).toBe(421);
    // A malicious page can forge `X-Forwarded-Uri`. But every browser also sends `Accept-Language`, and an
    // `Accept-Encoding` with deflate, so its requests are refused.
    expect(await forwarded(service, { 'accept-encoding': 'gzip, deflate' })).toBe(421);
    expect(await forwarded(service, { ...gzip, 'accept-language': '' })).toBe(421);
    await app.close();
  });
});

it('shows clusters with and without data, and metrics of both', async () => {
  const app = await serverOver(engine, { federation: rememberingFederation(), cluster: 'cluster-5', token });
  try {
    const { data } = await ask(app, '/api/status');
    expect(data).toMatchObject({
      kind: 'primary',
      cluster: 'cluster-5',
      canAct: true,
      hold: { generation: 1, by: 'ann@host' },
      notes: ['A note.'],
      schedule: { everyMs: 3_600_000, paused: { note: 'until Monday' } },
      // The API hides file paths, so the path of the volume is replaced by `…`.
      conditions: [{ cluster: 'cluster-1', name: 'disk', reason: "The volume of '…' is full." }],
      toDo: ['The schedule is paused: until Monday.', '… is a link.'],
      served: { generation: 7 },
    });
    const byId = new Map(data.clusters.map((one: { cluster: string }) => [one.cluster, one]));
    expect(byId.get('cluster-1')).toMatchObject({
      membership: 'in',
      lastPush: '2026-11-17T05:00:00Z',
      lastData: '2026-11-17T00:00:00Z',
      windows: expect.arrayContaining([{ pipeline: 'allocations', resolution: '1d', held: 3, missing: 0 }]),
    });
    expect(byId.get('cluster-6')).toMatchObject({
      membership: 'excluded',
      reason: 'odd prices',
      windows: [],
    });
    expect(Object.keys((await ask(app, '/clusterInfoMap')).data)).toContain('cluster-6');
    await ask(app, '/allocation', { window });
    const { text } = await ask(app, '/metrics');
    expect(text).toContain('federated_etl_served_generation 7');
    expect(text).toMatch(/federated_etl_cluster_data_age_seconds\{cluster_id="cluster-1"\} 21600/);
    expect(text).toMatch(/federated_etl_api_request_seconds_count\{route="\/allocation",status="200"\} 1/);
  } finally {
    await app.close();
  }
});

it('reports an address in use with the owner, and stops on request', async () => {
  const options = {
    answers: engine,
    currency: 'USD',
    aliases: defaultAliases,
    utcOffsetSeconds: 0,
    assetsFlavour: 'kubecost' as const,
    openRead: false,
    log: silentLog,
    revision: () => '',
  };
  const first = await startServer({ ...options, listen: '127.0.0.1:0', metrics: new Registry() });
  try {
    const { port } = new URL(first.url);
    await expect(
      startServer({ ...options, listen: `127.0.0.1:${port}`, metrics: new Registry() }),
    ).rejects.toMatchObject({ code: 'SETTINGS_INVALID', detail: expect.stringContaining('is taken') });
    const response = await fetch(
      `${first.url}/model/allocation?window=${encodeURIComponent(window)}&aggregate=all`,
    );
    expect(response.status).toBe(200);
    await response.text();
  } finally {
    await first.close();
  }
  await expect(fetch(first.url)).rejects.toThrow();
});
