import { inspect } from 'node:util';
import type { Bucket } from '../../storage/bucket';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { everyNameHere } from './every-name-here';
import { type FaultyServer, partOfBody, startFaultyServer, xmlError } from './faulty-s3-server';

/**
 * A short time-out for tests in which the store never answers. Other tests use the default time-outs, because the store
 * may answer slowly on a busy machine.
 */
const impatient = { http_config: { response_header_timeout: '500ms' } };
let server: FaultyServer;
const opened: Bucket[] = [];
const open = async (settings: object = {}) => {
  const config = {
    bucket: 'costs',
    endpoint: server.endpoint,
    access_key: 'AKIATEST',
    secret_key: 's3cr3t-key',
    insecure: true,
    ...settings,
  };
  const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
  opened.push(bucket);
  return bucket;
};
beforeAll(async () => {
  server = await startFaultyServer();
});
afterEach(() => Promise.all(opened.splice(0).map((bucket) => bucket.close())));
afterAll(() => server.close());

const ok = partOfBody(1000, 1000, 'end');

test('a server that fails twice is asked a third time', async () => {
  const bucket = await open();
  server.answer(xmlError(503, 'SlowDown'), xmlError(500, 'InternalError'), ok);
  expect((await readAll(bucket, 'k')).bytes).toHaveLength(1000);
  expect(server.seen).toHaveLength(3);
});

test('max_retries sets the number of retries, and Retry-After the wait', async () => {
  const bucket = await open({ max_retries: 2 });
  server.answer(xmlError(429, 'TooManyRequests', 'wait', { 'retry-after': '1' }));
  const start = Date.now();
  await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({
    code: 'STORAGE_THROTTLED',
    retryAfterMs: 1000,
  });
  expect(server.seen).toHaveLength(2);
  expect(Date.now() - start).toBeGreaterThanOrEqual(990);
});

test('a server that never answers is given up', async () => {
  const bucket = await open({ max_retries: 1, ...impatient });
  server.answer(() => undefined);
  await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test.each(['stall', 'break'] as const)('a body that comes to a %s is fetched to its end', async (then) => {
  const bucket = await open(then === 'stall' ? impatient : {});
  server.answer(partOfBody(1000, 300, then), partOfBody(1000, 301, then), ok);
  const { bytes } = await readAll(bucket, 'k');
  expect(bytes.equals(Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251)))).toBe(true);
  expect(server.seen.map(({ headers }) => headers.range)).toEqual([
    undefined,
    'bytes=300-999',
    'bytes=301-999',
  ]);
  expect(server.seen.map(({ headers }) => headers['if-match'])).toEqual([undefined, '"v1"', '"v1"']);
});

test('a body that breaks off, and has changed meanwhile, is not mixed', async () => {
  const bucket = await open();
  server.answer(partOfBody(1000, 300, 'break'), xmlError(412, 'PreconditionFailed'));
  await expect(readAll(bucket, 'k')).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  expect(server.seen).toHaveLength(2);
});

test('an abort ends a call in progress', async () => {
  const bucket = await open();
  const reason = new Error('enough');
  const controller = new AbortController();
  server.answer(() => controller.abort(reason));
  await expect(bucket.head('k', { signal: controller.signal })).rejects.toBe(reason);
  const body = new AbortController();
  server.answer(partOfBody(1000, 10, 'stall'));
  const reading = readAll(bucket, 'k', { signal: body.signal });
  setTimeout(() => body.abort(reason), 100);
  await expect(reading).rejects.toBe(reason);
});

test('an unreachable store is unavailable', async () => {
  const refused = await open({ endpoint: '127.0.0.1:1', max_retries: 2 });
  await expect(refused.head('k')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED') as string,
  });
  const unknown = await open({ endpoint: 'no-such-host.invalid', max_retries: 1 });
  await expect(unknown.head('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('responses that are not from S3 are not accepted', async () => {
  const bucket = await open({ max_retries: 1 });
  server.answer((response) => response.writeHead(200).end('<html>please log in</html>'));
  await expect(drain(bucket.list('a/'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  server.answer((response) => response.writeHead(503).end('busy'));
  await expect(bucket.get('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('a listing whose second page fails is an error, not a short listing', async () => {
  const bucket = await open({ max_retries: 2 });
  const page = (response: import('node:http').ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/xml' }).end(
      `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>
       <Contents><Key>a/1</Key><Size>1</Size><ETag>"x"</ETag><LastModified>2026-11-20T00:00:00Z</LastModified></Contents></ListBucketResult>`,
    );
  server.answer(page, xmlError(500, 'InternalError'));
  await expect(drain(bucket.list('a/'))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(server.seen.at(-1)?.url).toContain('start-after=a%2F1');
});

test('a refusal is not retried, and contains no secret', async () => {
  const bucket = await open();
  server.answer(xmlError(403, 'AccessDenied', 'your key s3cr3t-key may not'));
  const error: unknown = await bucket.get('k').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cr3t-key');
  expect(server.seen).toHaveLength(1);
});

test('settings are sent on the wire', async () => {
  const put = (response: import('node:http').ServerResponse) =>
    response.writeHead(200, { etag: '"v1"' }).end();
  const bucket = await open({
    session_token: 't0k3n',
    put_user_metadata: { 'X-Amz-Acl': 'bucket-owner-full-control', Team: 'costs' },
    sse_config: { type: 'SSE-KMS', kms_key_id: 'key-1', kms_encryption_context: { a: 'b' } },
  });
  server.answer(put);
  await bucket.create('a b/c', Buffer.from('x'), { metadata: { sha256: 'abc' } });
  expect(server.seen[0]).toMatchObject({
    method: 'PUT',
    url: '/costs/a%20b/c?x-id=PutObject',
    headers: {
      'if-none-match': '*',
      'x-amz-acl': 'bucket-owner-full-control',
      'x-amz-meta-team': 'costs',
      'x-amz-meta-sha256': 'abc',
      'x-amz-security-token': 't0k3n',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-server-side-encryption-context': Buffer.from('{"a":"b"}').toString('base64'),
    },
  });
  expect(Object.keys(server.seen[0]?.headers ?? {}).filter((name) => name.includes('checksum'))).toEqual([]);
});

test.each([
  ['virtual-hosted', 'costs.store.test', '/a%20b'],
  ['path', 'store.test', '/costs/a%20b'],
  ['auto', 'store.test', '/costs/a%20b'],
])('with bucket_lookup_type %s the host is %s', async (bucket_lookup_type, host, url) => {
  const lookup = everyNameHere();
  try {
    const port = server.endpoint.split(':')[1];
    const bucket = await open({ endpoint: `store.test:${port}`, bucket_lookup_type });
    server.answer((response) => response.writeHead(404).end());
    expect(await bucket.head('a b')).toBeUndefined();
    expect(server.seen).toMatchObject([{ url, headers: { host: `${host}:${port}` } }]);
  } finally {
    lookup.mockRestore();
  }
});

test('many more calls than connections wait for each other, and all complete', async () => {
  const bucket = await open({ http_config: { max_conns_per_host: 2 } });
  let now = 0;
  let most = 0;
  server.answer((response) => {
    most = Math.max(most, (now += 1));
    setTimeout(() => {
      now -= 1;
      response.writeHead(404).end();
    }, 5);
  });
  const heads = await Promise.all(Array.from({ length: 40 }, (_, i) => bucket.head(`k${i}`)));
  expect(heads).toEqual(heads.map(() => undefined));
  expect(most).toBeLessThanOrEqual(2);
});

test.each(['bytes 2-5/10', 'bytes 0-7/10', 'none'])(
  'a response with %s is not the range from 2 to 9',
  async (contentRange) => {
    const bucket = await open();
    server.answer((response) =>
      response
        .writeHead(206, { etag: '"v1"', 'content-range': contentRange, 'content-length': '4' })
        .end('abcd'),
    );
    await expect(bucket.get('k', { range: { offset: 2, length: 8 } })).rejects.toMatchObject({
      code: 'STORAGE_CORRUPT',
    });
  },
);

test('a wrong clock is reported as such', async () => {
  const bucket = await open();
  server.answer(xmlError(403, 'RequestTimeTooSkewed', 'The difference between the times is too large.'));
  await expect(bucket.get('k')).rejects.toMatchObject({
    code: 'STORAGE_ACCESS_DENIED',
    message: expect.stringContaining('RequestTimeTooSkewed, 403, The difference between the times') as string,
  });
});

describeWithS3('credentials against an S3 server', () => {
  test('a region that is not the bucket’s is reported with the setting', async () => {
    const bucket = await open({
      ...s3Settings(await connectToS3(), 'costs'),
      region: 'eu-nowhere-1',
    });
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
      retryable: false,
      hint: expect.stringContaining('config.region') as string,
    });
  });

  test.each([
    ['a wrong secret', { secret_key: 'wr0ng' }],
    ['an unknown key', { access_key: 'UNKNOWN' }],
  ])('%s is refused at once', async (_, wrong) => {
    const s3 = await connectToS3();
    const bucket = await open({ ...s3Settings(s3, 'costs'), ...wrong });
    for (const call of [
      () => bucket.put('k', Buffer.from('x')),
      () => bucket.get('k'),
      () => drain(bucket.list('')),
    ]) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
      expect(inspect(error, { depth: 9 })).not.toMatch(new RegExp(`wr0ng|${s3.secretKey}`));
    }
  });
});

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
