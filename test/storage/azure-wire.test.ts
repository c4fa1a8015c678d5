import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import type { Bucket } from '../../storage/bucket';
import { type AzureOptions, openAzure } from '../../storage/drivers/azure';
import { azureConfig, azurePatience } from '../../storage/drivers/azure-config';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { connectToAzure, describeWithAzure } from '../servers/azurite';
import { type FaultyServer, startFaultyServer } from './faulty-s3-server';
import { startTlsServer } from './tls-server';

/** A loopback server that records requests and gives canned responses. */
let server: FaultyServer;
const opened: Bucket[] = [];
const key = Buffer.from('the account key').toString('base64');
const open = async (settings: object = {}, options: AzureOptions = {}) => {
  const config = {
    container: 'costs',
    storage_connection_string: `AccountName=acme;AccountKey=${key};BlobEndpoint=http://${server.endpoint}/acme`,
    ...settings,
  };
  const bucket = await openAzure(azureConfig.parse(config), options);
  opened.push(bucket);
  return bucket;
};
beforeAll(async () => {
  server = await startFaultyServer();
});
afterEach(() => Promise.all(opened.splice(0).map((bucket) => bucket.close())));
afterAll(() => server.close());

type Way = (response: ServerResponse, request: IncomingMessage) => void;
const answers =
  (status: number, headers: Record<string, string> = {}, body = ''): Way =>
  (response) =>
    response.writeHead(status, headers).end(body);
const fails = (status: number, code: string): Way =>
  answers(
    status,
    { 'x-ms-error-code': code, 'content-type': 'application/xml' },
    `<Error><Code>${code}</Code><Message>no: ${key} sig=abc%2Bdef</Message></Error>`,
  );
const written = answers(201, { etag: '"0x1"', 'last-modified': new Date(0).toUTCString() });

test('a caller that gives up does not abort the creation of the container for the others', async () => {
  const bucket = await open({ storage_create_container: true });
  const first = new AbortController();
  server.answer((response, request) => {
    first.abort(new Error('gave up'));
    // Answer only after the first caller has given up.
    setImmediate(() => written(response, request));
  }, written);
  const given = bucket.put('a', Buffer.from('a'), { signal: first.signal });
  const other = bucket.put('b', Buffer.from('b'));
  await expect(given).rejects.toThrow('gave up');
  await expect(other).resolves.toMatchObject({ key: 'b' });
  expect(server.seen.map(({ url }) => url)).toEqual(['/acme/costs?restype=container', '/acme/costs/b']);
});

test.each([
  'AuthorizationFailure',
  'AuthenticationFailed',
  'AuthorizationPermissionMismatch',
  'InsufficientAccountPermissions',
])('%s is a refusal, and contains no secret', async (code) => {
  const bucket = await open();
  server.answer(fails(403, code));
  const error: unknown = await bucket.put('k', Buffer.from('x')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(new RegExp(`${key}|abc%2Bdef`));
  expect(server.seen).toHaveLength(1);
});

test.each([
  [404, 'ContainerNotFound', 'STORAGE_BUCKET_NOT_FOUND', false],
  [409, 'BlobAlreadyExists', 'STORAGE_PRECONDITION_FAILED', false],
  [412, 'ConditionNotMet', 'STORAGE_PRECONDITION_FAILED', false],
  [429, 'TooManyRequests', 'STORAGE_THROTTLED', true],
  [503, 'ServerBusy', 'STORAGE_THROTTLED', true],
  [500, 'OperationTimedOut', 'STORAGE_UNAVAILABLE', true],
  [400, 'Md5Mismatch', 'STORAGE_CORRUPT', true],
  [400, 'InvalidHeaderValue', 'STORAGE_UNAVAILABLE', false],
])('%d %s is %s', async (status, name, code, retryable) => {
  const bucket = await open();
  server.answer(fails(status, name));
  await expect(bucket.create('k', Buffer.from('x'))).rejects.toMatchObject({ code, retryable });
});

test('a create is sent with its condition, its checksum and its metadata', async () => {
  const bucket = await open();
  server.answer(written);
  await bucket.create('a b/c%2F#', Buffer.from('x'), { metadata: { sha256: 'abc', 'writer-id': 'c1' } });
  expect(server.seen).toMatchObject([
    {
      method: 'PUT',
      url: '/acme/costs/a%20b/c%252F%23',
      headers: {
        'if-none-match': '*',
        'content-md5': md5('x'),
        'x-ms-blob-content-md5': md5('x'),
        'x-ms-blob-type': 'BlockBlob',
        'x-ms-meta-sha256': 'abc',
        'x-ms-meta-writer_id': 'c1',
      },
    },
  ]);
});

test('responses that are not from Azure are not accepted', async () => {
  const bucket = await open();
  server.answer(answers(200, { 'content-type': 'text/html' }, '<html>please log in</html>'));
  const first = bucket.list('')[Symbol.asyncIterator]().next();
  await expect(first).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('an unreachable store is unavailable', async () => {
  for (const host of ['127.0.0.1:1', 'no-such-host.invalid']) {
    const connection = `AccountName=acme;AccountKey=${key};BlobEndpoint=http://${host}/acme`;
    const bucket = await open({ storage_connection_string: connection });
    await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryable: true });
  }
});

test('try_timeout ends an attempt, but not a body', async () => {
  const http_config = { response_header_timeout: '60s' };
  const impatient = await open({ pipeline_config: { try_timeout: '100ms' }, http_config });
  server.answer(() => undefined);
  await expect(impatient.head('k')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('try_timeout') as string,
  });
  // The headers of this response arrive within `try_timeout`, even on a busy machine. Only its body takes longer.
  const bucket = await open({ pipeline_config: { try_timeout: '1s' }, http_config });
  server.answer((response) => {
    response.writeHead(200, { etag: '"0x1"', 'content-length': '2' });
    response.write('a');
    setTimeout(() => response.end('b'), 1_500);
  });
  expect((await readAll(bucket, 'k')).bytes.toString()).toBe('ab');
});

test('a copy too large for one request is made in blocks, from one version of the source', async () => {
  const bucket = await open({}, { copyBlockSize: 1_000 });
  const source = { etag: '"0x7"', 'content-length': '2500', 'x-ms-meta-sha256': 'abc' };
  server.answer((response, request) =>
    request.method === 'HEAD'
      ? response.writeHead(200, { ...source, 'last-modified': new Date(0).toUTCString() }).end()
      : written(response, request),
  );
  expect(await bucket.copy('from', 'to')).toMatchObject({ key: 'to', size: 2_500 });
  const [, ...sent] = server.seen;
  const ranges = sent
    .map(({ headers }) => headers['x-ms-source-range'])
    .filter((range) => range !== undefined);
  expect(ranges.sort()).toEqual(['bytes=0-999', 'bytes=1000-1999', 'bytes=2000-2499']);
  expect(sent.at(-2)).toMatchObject({ method: 'HEAD', headers: { 'if-match': '"0x7"' } });
  expect(sent.at(-1)).toMatchObject({
    url: '/acme/costs/to?comp=blocklist',
    headers: { 'x-ms-meta-sha256': 'abc' },
  });
  // The source changes during the copy: all HEAD requests after the first one fail with status 412. So nothing must be
  // committed.
  let looked = 0;
  server.answer((response, request) => {
    if (request.method !== 'HEAD') return written(response, request);
    looked += 1;
    return looked === 1
      ? response.writeHead(200, { ...source, 'last-modified': new Date(0).toUTCString() }).end()
      : response.writeHead(412).end();
  });
  await expect(bucket.copy('from', 'to')).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  expect(server.seen.some(({ url }) => url.includes('comp=blocklist'))).toBe(false);
});

test('connection strings are parsed as the portal shows them, and refused without their secrets', async () => {
  const label = async (text: string) => (await open({ storage_connection_string: text })).label;
  const full = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${key};EndpointSuffix=core.windows.net`;
  expect(await label(full)).toBe('azure://acme/costs');
  expect(
    await label('BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=x'),
  ).toBe('azure://acme/costs');
  for (const broken of [
    'AccountKey=s3cr3t',
    'AccountName=acme',
    'BlobEndpoint=s3cr3t;AccountKey=s3cr3t',
    's3cr3t',
    'AccountName=ac me;AccountKey=s3cr3t',
    'AccountName=evil.example/acme;AccountKey=s3cr3t',
    'AccountName=acme;AccountKey=s3cr3t;EndpointSuffix=core windows',
    'AccountName=acme;AccountKey=s3cr3t;EndpointSuffix=evil.example/core.windows.net',
    'AccountName=acme;AccountKey=s3cr3t;DefaultEndpointsProtocol=file',
    'AccountKey=s3cr3t;AccountName=acme;BlobEndpoint=ftp://acme.blob.core.windows.net',
  ]) {
    const error: unknown = await label(broken).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_CONFIG_INVALID' });
    expect(inspect(error, { depth: 9 })).not.toContain('s3cr3t');
  }
});

test('time-outs and retries follow the settings', () => {
  const patience = (settings: object) =>
    azurePatience(azureConfig.parse({ container: 'costs', storage_account: 'acme', ...settings }));
  expect(patience({})).toEqual({});
  expect(patience({ max_retries: 7 })).toEqual({ tries: 7 });
  const pipeline_config = { max_tries: 2, retry_delay: '1s', max_retry_delay: '1m' };
  expect(patience({ max_retries: 7, pipeline_config })).toEqual({
    tries: 2,
    firstPauseMs: 1_000,
    longestPauseMs: 60_000,
  });
});

test('a private authority is trusted if ca_file names it, and only then', async () => {
  const tls = await startTlsServer();
  try {
    const storage_connection_string = `AccountName=acme;AccountKey=${key};BlobEndpoint=https://${tls.host}/acme`;
    const look = async (tls_config: object) =>
      (await open({ storage_connection_string, http_config: { tls_config } })).head('k');
    const { ca: ca_file, cert: cert_file, key: key_file } = tls.files;
    await expect(look({})).rejects.toMatchObject({
      retryable: false,
      hint: expect.stringContaining('ca_file'),
    });
    expect(await look({ ca_file, cert_file, key_file })).toBeUndefined();
    expect(tls.clients).toEqual(['a client']);
  } finally {
    await tls.close();
  }
});

describeWithAzure('against an Azure server', () => {
  test('a wrong key is refused', async () => {
    const { account, endpoint } = await connectToAzure();
    const wrong = randomBytes(32).toString('base64');
    const connection = `AccountName=${account};AccountKey=${wrong};BlobEndpoint=${endpoint}`;
    const bucket = await open({ storage_connection_string: connection });
    await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED' });
    await expect(bucket.put('k', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED' });
  });

  test('a container is created if the settings ask for it, and never otherwise', async () => {
    const { connectionString } = await connectToAzure();
    const service = BlobServiceClient.fromConnectionString(connectionString);
    const container = `made-${randomUUID()}`;
    const openStore = (storage_create_container: boolean) => {
      const config = { container, storage_connection_string: connectionString, storage_create_container };
      return openBucket(parseFederatedStore(JSON.stringify({ type: 'AZURE', config }), 'f.yaml'));
    };
    const without = await openStore(false);
    await expect(without.put('k', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_BUCKET_NOT_FOUND',
    });
    expect(await service.getContainerClient(container).exists()).toBe(false);
    const creating = await openStore(true);
    await Promise.all(['a', 'b', 'c'].map((name) => creating.put(name, Buffer.from(name))));
    expect((await readAll(creating, 'b')).bytes.toString()).toBe('b');
    await Promise.all([without.close(), creating.close()]);
  });
});

function md5(text: string): string {
  return createHash('md5').update(text).digest('base64');
}
