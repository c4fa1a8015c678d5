import type { FastifyInstance } from 'fastify';
import { goldenEngine } from '../query/engine-over';
import { ask, serverOver, token } from './served';

let engine: Awaited<ReturnType<typeof goldenEngine>>;
let app: FastifyInstance;
beforeAll(async () => {
  engine = await goldenEngine();
  const page = new Map([
    ['/index.html', { type: 'text/html; charset=utf-8', body: Buffer.from('<p>page'), immutable: false }],
    ['/page/main-1.js', { type: 'text/javascript', body: Buffer.from('1'), immutable: true }],
  ]);
  // The server listens on all addresses, so reading data requires the token. Reading the page must not require it.
  app = await serverOver(engine, { page, listen: ':0', token });
});
afterAll(async () => {
  await app.close();
  engine.dispose();
});

const html = { accept: 'text/html,application/xhtml+xml' };

it('the page is served at /, and to browsers at any path outside of the API', async () => {
  for (const path of ['/', '/clusters', '/some/where']) {
    const { status, text, headers } = await ask(app, path, {}, html);
    expect([path, status, text]).toEqual([path, 200, '<p>page']);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
  for (const path of ['/api/nothing', '/model/nothing', '/allocation/nothing', '/page/other.js']) {
    expect([path, (await ask(app, path, {}, html)).status]).toEqual([path, 404]);
  }
  expect((await ask(app, '/clusters', {}, { accept: 'application/json' })).status).toBe(404);
});

it('files of the page are cached for as long as their names exist', async () => {
  const { status, headers } = await ask(app, '/page/main-1.js');
  expect(status).toBe(200);
  expect(headers['cache-control']).toContain('immutable');
});

it('the API is described without requests to other hosts', async () => {
  const { headers, text } = await ask(app, '/api/docs/');
  expect(text).toContain('swagger-ui');
  expect(text).not.toMatch(/(src|href)="https?:/);
  expect(headers['content-security-policy']).not.toContain('http');
  const described = JSON.parse((await ask(app, '/api/openapi.json')).text) as {
    paths: Record<string, Record<string, unknown>>;
  };
  expect(Object.keys(described.paths['/api/federations'] ?? {}).sort()).toEqual(['get', 'post']);
});

it('no costs are served without the token', async () => {
  for (const path of [
    '/allocation',
    '/assets/autocomplete',
    '/api/status',
    '/metrics',
    '/clusterInfoMap',
    '/cloudCost',
  ]) {
    const { status, headers, message } = await ask(app, path, { window: '7d' });
    expect([path, status, headers['www-authenticate']]).toEqual([path, 401, 'Bearer']);
    expect(message).toMatch(/^Error: /);
  }
});
