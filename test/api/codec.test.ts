import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { buildCodec } from '../../api/codec';
import { silentLog } from '../../config/log';
import { PayloadEncryption } from '../../config/payload-encryption';

const key = { id: 'one', key: randomBytes(32) };
const unknownKey = { id: 'two', key: randomBytes(32) };
const origin = 'https://temporal.example';
const plain = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"text"') };
const asJson = (payload: { metadata?: unknown; data?: unknown }) => ({
  metadata: Object.fromEntries(
    Object.entries(payload.metadata ?? {}).map(([name, value]) => [
      name,
      Buffer.from(value as Buffer).toString('base64'),
    ]),
  ),
  data: Buffer.from(payload.data as Buffer).toString('base64'),
});

let token: string | undefined;
let app: FastifyInstance;
const waits: number[] = [];
beforeAll(async () => {
  app = await buildCodec({
    listen: '127.0.0.1:0',
    origins: [origin],
    token: () => token,
    codec: new PayloadEncryption(() => [key]),
    log: silentLog,
    now: () => 0,
    wait: async (milliseconds) => waits.push(milliseconds),
  });
});
beforeEach(() => {
  token = 'sesame';
});
afterAll(() => app?.close());

const right = { authorization: 'Bearer sesame' };
const post = (url: string, payload: object | string, headers: Record<string, string> = right) =>
  app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });

describe('the codec endpoint', () => {
  it('decrypts what this program encrypts, and encrypts what it decrypts', async () => {
    const encrypted = await new PayloadEncryption(() => [key]).encode([plain]);
    const payloads = encrypted.map(asJson);
    const decoded = await post('/decode', { payloads }, { ...right, 'x-namespace': 'default' });
    expect(decoded.statusCode).toBe(200);
    expect(decoded.json()).toEqual({ payloads: [asJson(plain)] });
    expect(decoded.headers).toMatchObject({ 'cache-control': 'no-store' });
    const sealed = (await post('/encode', decoded.json())).json<{ payloads: object[] }>();
    expect(JSON.stringify(sealed)).not.toContain(asJson(plain).data);
    expect((await post('/decode', sealed)).json()).toEqual({ payloads: [asJson(plain)] });
  });

  it('leaves alone what is not encrypted, or encrypted with another key', async () => {
    const [foreign] = await new PayloadEncryption(() => [unknownKey]).encode([plain]);
    const payloads = [plain, foreign!].map(asJson);
    expect((await post('/decode', { payloads })).json()).toEqual({ payloads });
    for (const empty of [{}, { payloads: [] }])
      expect((await post('/decode', empty)).json()).toEqual({ payloads: [] });
    const bare = (await post('/encode', { payloads: [{}] })).json<object>();
    expect((await post('/decode', bare)).json()).toEqual({ payloads: [{ metadata: {}, data: '' }] });
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer sesam' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a token that is not a bearer', { authorization: 'Basic sesame' }],
    ['a right and a wrong token', { ...right, 'x-api-key': 'sesam' }],
  ])('refuses %s', async (_, headers) => {
    for (const url of ['/decode', '/encode', '/']) {
      const { statusCode, body } = await post(url, { payloads: [] }, headers);
      expect([statusCode, body]).toEqual([
        401,
        expect.stringMatching(/token is (missing|wrong).*temporal\.codec\.token/),
      ]);
    }
  });

  it('refuses everybody while it has no token', async () => {
    token = undefined;
    for (const authorization of ['Bearer sesame', 'Bearer undefined', ''])
      expect((await post('/decode', {}, { authorization })).statusCode).toBe(401);
  });

  it('slows down wrong tokens, but not the right one', async () => {
    waits.length = 0;
    for (let i = 0; i < 10; i++) await post('/decode', {}, { authorization: `Bearer ${i}` });
    expect(waits.length).toBeGreaterThan(0);
    const before = waits.length;
    expect((await post('/decode', {})).statusCode).toBe(200);
    expect(waits).toHaveLength(before);
  });

  it('is open to pages of the listed origins only', async () => {
    const preflight = async (from: string) => {
      const { headers, statusCode } = await app.inject({
        method: 'OPTIONS',
        url: '/decode',
        headers: {
          origin: from,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,x-namespace',
        },
      });
      return { statusCode, allowed: headers['access-control-allow-origin'], headers };
    };
    const { headers, ...granted } = await preflight(origin);
    expect(granted).toEqual({ statusCode: 204, allowed: origin });
    expect(headers['access-control-allow-headers']).toMatch(/authorization.*content-type.*x-namespace/);
    for (const other of ['https://temporal.example.evil', 'http://temporal.example', 'null', '*'])
      expect((await preflight(other)).allowed).toBeUndefined();
    const answer = await post('/decode', {}, { ...right, origin });
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
  });

  it.each<[string, number, object | string]>([
    ['no JSON', 400, '{'],
    ['a list', 400, []],
    ['payloads that are no list', 400, { payloads: {} }],
    ['data that is not base64', 400, { payloads: [{ data: '!' }] }],
    ['metadata that is no text', 400, { payloads: [{ metadata: { encoding: 7 } }] }],
    ['too much', 413, { payloads: [{ data: 'A'.repeat(8 * 2 ** 20) }] }],
  ])('refuses %s with %i', async (_, status, body) => {
    for (const url of ['/decode', '/encode']) expect((await post(url, body)).statusCode).toBe(status);
  });

  it('has nothing else', async () => {
    expect((await post('/other', {})).statusCode).toBe(404);
    expect((await app.inject({ method: 'GET', url: '/decode', headers: right })).statusCode).toBe(404);
  });
});
