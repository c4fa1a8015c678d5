import { randomBytes } from 'node:crypto';
import type { Bucket, ListEntry } from '../../storage/bucket';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsConfig } from '../../storage/drivers/gcs-config';
import { readAll } from '../../storage/read-all';
import { repeatable, withRetry } from '../../storage/with-retry';
import {
  crc32c,
  type FaultyGcsServer,
  gcsError,
  json,
  media,
  resource,
  startFaultyGcsServer,
} from './faulty-gcs-server';
import { startTlsServer, type TlsServer } from './tls-server';

const unit = 256 * 1024;
/**
 * A short time-out for tests in which the store never answers. Other tests use the default time-outs, because the store
 * may answer slowly on a busy machine.
 */
const impatient = { http_config: { response_header_timeout: '500ms' } };
let server: FaultyGcsServer;
const opened: Bucket[] = [];
const open = async (settings: object = {}, tries = 4, apiEndpoint = server.endpoint) => {
  const config = gcsConfig.parse({
    bucket: 'costs',
    chunk_size_bytes: unit,
    ...settings,
  });
  const bucket = withRetry(await openGcs(config, { apiEndpoint }), { tries });
  opened.push(bucket);
  return bucket;
};
beforeAll(async () => {
  server = await startFaultyGcsServer();
});
afterEach(() => Promise.all(opened.splice(0).map((bucket) => bucket.close())));
afterAll(() => server.close());

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
const ok = media(bytes, 1000, 'end');
const unavailable = { code: 'STORAGE_UNAVAILABLE' };

describe('a store in trouble', () => {
  test('that fails twice is asked a third time', async () => {
    const bucket = await open();
    server.answer(gcsError(503, 'backendError'), gcsError(500, 'internalError'), ok);
    expect((await readAll(bucket, 'k')).bytes).toHaveLength(1000);
    expect(server.seen).toHaveLength(3);
    server.answer(gcsError(503, 'backendError'), json(200, resource('k', Buffer.from('x'))));
    expect(await bucket.put('k', Buffer.from('x'))).toMatchObject({ size: 1, version: '7' });
    expect(server.seen).toHaveLength(2);
  });

  test('that sends Retry-After is given that time', async () => {
    const bucket = await open({}, 2);
    server.answer(gcsError(429, 'rateLimitExceeded', 'wait', { 'retry-after': '1' }));
    const start = Date.now();
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_THROTTLED',
      retryAfterMs: 1000,
    });
    expect(server.seen).toHaveLength(2);
    expect(Date.now() - start).toBeGreaterThanOrEqual(990);
    server.answer(gcsError(403, 'userRateLimitExceeded'));
    await expect((await open({}, 1)).head('k')).rejects.toMatchObject({ code: 'STORAGE_THROTTLED' });
  });

  test('that never answers is given up', async () => {
    const bucket = await open(impatient, 1);
    server.answer(() => undefined);
    await expect(bucket.head('k')).rejects.toMatchObject(unavailable);
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject(unavailable);
    await expect(bucket.put('k', stream(Buffer.alloc(2 * unit)))).rejects.toMatchObject(unavailable);
    await expect(drain(bucket.list(''))).rejects.toMatchObject(unavailable);
    server.answer((response) => void response.writeHead(200).write('{"kind":'));
    await expect(bucket.head('k')).rejects.toMatchObject(unavailable);
  });

  test('that is unreachable is unavailable', async () => {
    const refused = await open({}, 2, 'http://127.0.0.1:1');
    await expect(refused.head('k')).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    const unknown = await open({}, 1, 'http://no-such-host.invalid');
    await expect(unknown.head('k')).rejects.toMatchObject(unavailable);
  });

  test('that refuses is not retried', async () => {
    const bucket = await open();
    for (const [status, code] of [
      [401, 'STORAGE_ACCESS_DENIED'],
      [403, 'STORAGE_ACCESS_DENIED'],
      [400, 'STORAGE_UNAVAILABLE'],
    ] as const) {
      server.answer(gcsError(status, 'forbidden'));
      await expect(bucket.get('k')).rejects.toMatchObject({ code, retryable: false });
      expect(server.seen).toHaveLength(1);
    }
  });
});

describe('a body', () => {
  test.each(['stall', 'break'] as const)('that comes to a %s is fetched to its end', async (then) => {
    const bucket = await open(then === 'stall' ? impatient : {});
    server.answer(media(bytes, 300, then), media(bytes, 301, then), ok);
    expect((await readAll(bucket, 'k')).bytes.equals(bytes)).toBe(true);
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=300-999',
      'bytes=301-999',
    ]);
    expect(server.seen.map(({ query }) => query['generation'])).toEqual([undefined, '7', '7']);
  });

  test('that breaks off, and has changed meanwhile, is not mixed', async () => {
    const bucket = await open();
    const now = json(200, resource('k', bytes, { generation: '8' }));
    server.answer(media(bytes, 300, 'break'), gcsError(404, 'notFound'), now);
    await expect(readAll(bucket, 'k')).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
    expect(server.seen).toHaveLength(3);
  });

  test('with other bytes than the store has is an error', async () => {
    const bucket = await open({}, 1);
    server.answer(media(bytes, 1000, 'end', { 'x-goog-hash': 'crc32c=AAAAAA==' }));
    await expect(readAll(bucket, 'k')).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    server.answer(media(bytes, 1000, 'end', { 'x-goog-stored-content-length': '400' }));
    await expect(bucket.get('k')).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    // Like some stores, the server ignores the requested range here, and sends the whole object.
    server.answer((response) => ok(response, { ...server.seen[0]!, headers: {} }));
    for (const range of [{ offset: 10 }, { offset: 0, length: 10 }])
      await expect(bucket.get('k', { range })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    expect((await bucket.get('k', { range: { offset: 0 } })).head.size).toBe(1000);
  });

  test('is requested as stored, and its time is looked up if the response has none', async () => {
    const bucket = await open();
    const dateless = (response: import('node:http').ServerResponse) =>
      response
        .writeHead(200, { 'x-goog-generation': '7', 'content-length': '1000', 'content-encoding': 'gzip' })
        .end(bytes);
    server.answer(dateless, json(200, resource('k', bytes)));
    const { head, bytes: read } = await readAll(bucket, 'k');
    expect(head.modified).toEqual(new Date('2026-11-20T00:00:00Z'));
    expect(read.equals(bytes)).toBe(true);
    expect(server.seen[0]).toMatchObject({
      path: '/storage/v1/b/costs/o/k',
      query: { alt: 'media' },
      headers: { 'accept-encoding': 'gzip' },
    });
  });
});

describe('a response that is not from the store', () => {
  const page = (response: import('node:http').ServerResponse) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>please log in</html>');

  test('is not accepted', async () => {
    const bucket = await open({}, 1);
    server.answer(page);
    await expect(drain(bucket.list('a/'))).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('gs://costs') as string,
    });
    await expect(bucket.head('k')).rejects.toMatchObject(unavailable);
    await expect(bucket.get('k')).rejects.toMatchObject(unavailable);
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject(unavailable);
    await expect(bucket.put('k', stream(Buffer.alloc(2 * unit)))).rejects.toMatchObject(unavailable);
    await expect(bucket.copy('k', 'l')).rejects.toMatchObject(unavailable);
    server.answer(json(200, {}));
    await expect(drain(bucket.list('a/'))).rejects.toMatchObject(unavailable);
    await expect(bucket.head('k')).rejects.toMatchObject(unavailable);
  });

  test('is not a shorter listing either, if it is the second page', async () => {
    const bucket = await open({}, 2);
    const first = { kind: 'storage#objects', nextPageToken: 't', items: [resource('a/1', bytes)] };
    server.answer(json(200, first), gcsError(500, 'internalError'));
    await expect(drain(bucket.list('a/'))).rejects.toMatchObject(unavailable);
    expect(server.seen.map(({ query }) => [query['pageToken'], query['startOffset']])).toEqual([
      [undefined, undefined],
      ['t', undefined],
      [undefined, 'a/1'],
    ]);
  });
});

test('a listing resumes after the last entry, and repeats nothing', async () => {
  const bucket = await open();
  const page = (nextPageToken: string | undefined, ...names: string[]) =>
    json(200, {
      kind: 'storage#objects',
      nextPageToken,
      items: names.map((name) => resource(name, bytes)),
    });
  server.answer(page('t', 'a/1', 'a//', 'a/2'), gcsError(503, 'x'), page(undefined, 'a/2', 'a/3'));
  const keys: string[] = [];
  for await (const entry of bucket.list('a/')) keys.push((entry as ListEntry & { kind: 'object' }).key);
  expect(keys).toEqual(['a/1', 'a/2', 'a/3']);
});

describe('an abort', () => {
  const reason = new Error('enough');

  test('ends a call in progress', async () => {
    const bucket = await open();
    for (const call of [
      (signal: AbortSignal) => bucket.head('k', { signal }),
      (signal: AbortSignal) => bucket.get('k', { signal }),
      (signal: AbortSignal) => bucket.put('k', Buffer.from('x'), { signal }),
      (signal: AbortSignal) => bucket.put('k', stream(Buffer.alloc(2 * unit)), { signal }),
      (signal: AbortSignal) => bucket.copy('k', 'l', { signal }),
      (signal: AbortSignal) => bucket.delete('k', { signal }),
      (signal: AbortSignal) => drain(bucket.list('', { signal })),
    ]) {
      const controller = new AbortController();
      let closed: Promise<unknown> | undefined;
      server.answer((response) => {
        closed = new Promise((resolve) => response.once('close', resolve));
        controller.abort(reason);
      });
      await expect(call(controller.signal)).rejects.toBe(reason);
      // The abort must end not only the call, but also the HTTP request.
      await closed;
    }
  });

  test('ends the reading of a body', async () => {
    const bucket = await open();
    const controller = new AbortController();
    server.answer(media(bytes, 10, 'stall'));
    const { body } = await bucket.get('k', { signal: controller.signal });
    const chunks = body[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toHaveLength(10);
    const next = chunks.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
  });

  test('cancels an upload in progress', async () => {
    const bucket = await open();
    const controller = new AbortController();
    const cancelled = new Promise<void>((resolve) => {
      server.answer(
        session,
        () => controller.abort(reason),
        (response) => {
          response.writeHead(499).end();
          resolve();
        },
      );
    });
    const { signal } = controller;
    await expect(bucket.put('k', stream(Buffer.alloc(2 * unit)), { signal })).rejects.toBe(reason);
    await cancelled;
    expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', query: { upload_id: 'u1' } });
  });
});

/** Responds to the first request of a resumable upload. The location for the chunks is on a different host. */
const session = (response: import('node:http').ServerResponse) =>
  response
    .writeHead(200, { location: 'http://elsewhere.invalid/upload/storage/v1/b/costs/o?upload_id=u1' })
    .end();
const kept = (count: number) => (response: import('node:http').ServerResponse) =>
  response.writeHead(308, count === 0 ? {} : { range: `bytes=0-${count - 1}` }).end();

describe('an upload', () => {
  test('of known bytes is one request, with checksums for the store to verify', async () => {
    const bucket = await open();
    server.answer(json(200, resource('a b/c', Buffer.from('hello'))));
    await bucket.create('a b/c', Buffer.from('hello'), { metadata: { sha256: 'abc' } });
    expect(server.seen).toHaveLength(1);
    const [request] = server.seen;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/upload/storage/v1/b/costs/o',
      query: { uploadType: 'multipart', ifGenerationMatch: '0' },
    });
    expect(request?.headers).not.toHaveProperty('content-encoding');
    expect(request?.headers).not.toHaveProperty('transfer-encoding');
    const [, description = '', , content = ''] = (request?.body.toString() ?? '').split(/\r\n\r\n|\r\n--/);
    expect(JSON.parse(description)).toEqual({
      name: 'a b/c',
      contentType: 'application/octet-stream',
      metadata: { sha256: 'abc' },
      crc32c: crc32c(Buffer.from('hello')),
    });
    expect(content).toContain('hello');
    await bucket.put('a b/c', Buffer.from('hello'));
    expect(server.seen[1]?.query).not.toHaveProperty('ifGenerationMatch');
  });

  test('of a small stream is one request too', async () => {
    const bucket = await open();
    const whole = Buffer.alloc(unit, 'x');
    server.answer(json(200, resource('k', whole)));
    await bucket.put('k', stream(whole));
    expect(server.seen.map(({ query }) => query['uploadType'])).toEqual(['multipart']);
  });

  test('of a large stream is sent in chunks, and unsaved bytes are sent again', async () => {
    const bucket = await open();
    const whole = randomBytes(2 * unit + 100);
    server.answer(session, kept(unit), kept(unit + 10), kept(2 * unit), json(200, resource('k', whole)));
    expect(await bucket.create('k', stream(whole))).toMatchObject({ size: whole.length });
    const [begin, ...chunks] = server.seen;
    expect(begin).toMatchObject({ query: { uploadType: 'resumable', ifGenerationMatch: '0' } });
    expect(chunks.map(({ headers }) => headers['content-range'])).toEqual([
      `bytes 0-${unit - 1}/*`,
      `bytes ${unit}-${2 * unit - 1}/*`,
      `bytes ${unit + 10}-${2 * unit - 1}/*`,
      `bytes ${2 * unit}-${whole.length - 1}/${whole.length}`,
    ]);
    expect(chunks.map(({ headers }) => headers['x-goog-hash'])).toEqual([
      undefined,
      undefined,
      undefined,
      `crc32c=${crc32c(whole)}`,
    ]);
    expect(chunks[2]?.body.equals(whole.subarray(unit + 10, 2 * unit))).toBe(true);
  });

  test('of which the store saves nothing, or loses some, is cancelled', async () => {
    const bucket = await open({}, 1);
    for (const way of [kept(0), gcsError(503, 'backendError'), gcsError(410, 'gone')]) {
      server.answer(session, way, json(499, {}));
      await expect(bucket.put('k', stream(Buffer.alloc(2 * unit)))).rejects.toMatchObject(unavailable);
      expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
    }
  });

  test('whose body breaks is cancelled, and the error is the body’s', async () => {
    const bucket = await open();
    const cause = new Error('the disk is gone');
    async function* breaks() {
      yield* stream(Buffer.alloc(2 * unit));
      throw cause;
    }
    server.answer(session, kept(unit), json(499, {}));
    await expect(bucket.put('k', breaks())).rejects.toBe(cause);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
  });

  test('that is repeatable is repeated from its start', async () => {
    const bucket = await open();
    const whole = randomBytes(unit + 1);
    const done = json(200, resource('k', whole));
    server.answer(session, gcsError(503, 'x'), json(499, {}), session, kept(unit), done);
    await bucket.put(
      'k',
      repeatable(() => stream(whole)),
    );
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE', 'POST', 'PUT', 'PUT']);
  });

  test('that the store saved with different bytes is removed, exactly that version', async () => {
    const bucket = await open({}, 1);
    const whole = randomBytes(unit + 1);
    const other = resource('k', whole, { crc32c: 'AAAAAA==' });
    server.answer(session, kept(unit), json(200, other), json(204, {}), json(499, {}));
    await expect(bucket.put('k', stream(whole))).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    expect(server.seen[3]).toMatchObject({
      method: 'DELETE',
      path: '/storage/v1/b/costs/o/k',
      query: { generation: '7' },
    });
    server.answer(gcsError(400, 'invalid', 'Provided CRC32C "x" doesn\'t match calculated CRC32C "y".'));
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_CORRUPT',
      retryable: true,
    });
  });
});

describe('a copy', () => {
  test('takes as many requests as the store needs, from one version of the source', async () => {
    const bucket = await open();
    const step = { kind: 'storage#rewriteResponse', done: false, rewriteToken: 't1' };
    const last = { ...step, done: true, resource: resource('to', bytes, { generation: '9' }) };
    server.answer(json(200, resource('a b', bytes)), json(200, step), json(200, last));
    expect(await bucket.copy('a b', 'to/x')).toMatchObject({ size: 1000, version: '9' });
    expect(
      server.seen.slice(1).map(({ query }) => [query['sourceGeneration'], query['rewriteToken']]),
    ).toEqual([
      ['7', undefined],
      ['7', 't1'],
    ]);
    expect(server.seen[1]).toMatchObject({
      method: 'POST',
      path: '/storage/v1/b/costs/o/a%20b/rewriteTo/b/costs/o/to%2Fx',
      body: Buffer.alloc(0),
    });
  });

  test('of a source that changed meanwhile is a conflict', async () => {
    const bucket = await open({}, 1);
    server.answer(json(200, resource('k', bytes)), gcsError(404, 'notFound'));
    await expect(bucket.copy('k', 'l')).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  });
});

test('an emulator gets no credentials', async () => {
  const service_account = JSON.stringify({
    type: 'service_account',
    private_key: 'k3y-of-the-account',
    client_email: 'a@b',
  });
  const bucket = await open({ service_account });
  server.answer(gcsError(403, 'forbidden', 'k3y-of-the-account'));
  await expect(bucket.get('k')).rejects.toMatchObject({
    message: expect.not.stringContaining('k3y-of-the-account') as string,
  });
  expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
});

describe('TLS', () => {
  let tls: TlsServer;
  beforeAll(async () => {
    tls = await startTlsServer();
  });
  afterAll(() => tls.close());
  const look = async (tls_config: object) =>
    (await open({ http_config: { tls_config } }, 4, `https://${tls.host}`)).head('k');

  test('follows http_config', async () => {
    const { ca, cert, key } = tls.files;
    expect(await look({ ca_file: ca, cert_file: cert, key_file: key })).toBeUndefined();
    expect(await look({ ca_file: ca, server_name: 'store.internal' })).toBeUndefined();
    expect(await look({ insecure_skip_verify: true })).toBeUndefined();
    expect(tls.clients).toEqual(['a client', '', '']);
    await expect(look({})).rejects.toMatchObject({ ...unavailable, retryable: false });
    expect(tls.clients).toHaveLength(3);
  });
});

async function* stream(whole: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += 100_000) {
    await Promise.resolve();
    yield whole.subarray(at, at + 100_000);
  }
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
