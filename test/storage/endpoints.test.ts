import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { type S3Config, s3Location } from '../../storage/drivers/s3-config';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { clearEnvironment } from '../servers/clear-environment';
import { type Listening, listenOnLoopback } from './loopback';

/** A proxy that records the URL of each request, and answers all of them with 403. */
let proxy: Listening;
const asked: string[] = [];
clearEnvironment(/^(?:AWS|AZURE)_|^(?:https?|no)_proxy$/i);
beforeAll(async () => {
  const server = createServer((request, response) => {
    const { protocol, host, pathname } = new URL(request.url ?? '');
    asked.push(`${protocol}//${host}${pathname}`);
    response.writeHead(403).end();
  });
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  proxy = await listenOnLoopback(server);
});
afterAll(() => proxy.close());
beforeEach(() => {
  asked.length = 0;
  Object.assign(process.env, { HTTPS_PROXY: `http://${proxy.host}`, HTTP_PROXY: `http://${proxy.host}` });
});

const storeOf = (type: string, config: object) =>
  parseFederatedStore(JSON.stringify({ type, config }), 'federated-store.yaml');
const s3Of = (endpoint: string, more: object = {}) =>
  storeOf('S3', { bucket: 'costs', endpoint, access_key: 'a', secret_key: 's', max_retries: 1, ...more });

async function hostAskedBy(store: ReturnType<typeof storeOf>): Promise<string | undefined> {
  const bucket = await openBucket(store);
  await bucket.head('k').catch(() => undefined);
  await bucket.close();
  return asked[0];
}

test.each<[endpoint: string, more: object, host: string, region: string]>([
  ['s3.amazonaws.com', {}, 'costs.s3.us-east-1.amazonaws.com:443', 'us-east-1'],
  ['s3.amazonaws.com', { region: 'us-west-2' }, 'costs.s3.us-west-2.amazonaws.com:443', 'us-west-2'],
  [
    's3.amazonaws.com',
    { region: 'eu-west-1', disable_dualstack: false },
    'costs.s3.dualstack.eu-west-1.amazonaws.com:443',
    'eu-west-1',
  ],
  ['s3.eu-west-1.amazonaws.com', {}, 'costs.s3.eu-west-1.amazonaws.com:443', 'eu-west-1'],
  ['https://S3.EU-West-1.amazonaws.com:443', {}, 'costs.s3.eu-west-1.amazonaws.com:443', 'eu-west-1'],
  [
    's3.eu-west-1.amazonaws.com',
    { bucket_lookup_type: 'path' },
    's3.eu-west-1.amazonaws.com:443',
    'eu-west-1',
  ],
  ['s3-eu-west-1.amazonaws.com', {}, 'costs.s3-eu-west-1.amazonaws.com:443', 'eu-west-1'],
  ['s3.dualstack.eu-west-1.amazonaws.com', {}, 'costs.s3.dualstack.eu-west-1.amazonaws.com:443', 'eu-west-1'],
  [
    's3-fips.us-gov-west-1.amazonaws.com',
    {},
    'costs.s3-fips.us-gov-west-1.amazonaws.com:443',
    'us-gov-west-1',
  ],
  [
    's3-fips.dualstack.us-east-2.amazonaws.com',
    {},
    'costs.s3-fips.dualstack.us-east-2.amazonaws.com:443',
    'us-east-2',
  ],
  ['s3.cn-north-1.amazonaws.com.cn', {}, 'costs.s3.cn-north-1.amazonaws.com.cn:443', 'cn-north-1'],
  [
    'bucket.vpce-0a1b-2c3d.s3.eu-west-1.vpce.amazonaws.com',
    {},
    'costs.bucket.vpce-0a1b-2c3d.s3.eu-west-1.vpce.amazonaws.com:443',
    'eu-west-1',
  ],
  ['s3-external-1.amazonaws.com', {}, 'costs.s3-external-1.amazonaws.com:443', 'us-east-1'],
  [
    's3-accelerate.amazonaws.com',
    { region: 'eu-west-1' },
    'costs.s3-accelerate.amazonaws.com:443',
    'eu-west-1',
  ],
  [
    's3-accelerate.dualstack.amazonaws.com',
    { region: 'eu-west-1' },
    'costs.s3-accelerate.dualstack.amazonaws.com:443',
    'eu-west-1',
  ],
  ['minio.storage.svc:9000', {}, 'minio.storage.svc:9000', 'us-east-1'],
  ['minio.storage.svc:9000', { insecure: true }, 'http://minio.storage.svc:9000/costs/k', 'us-east-1'],
  [
    'minio.storage.svc',
    { insecure: true, bucket_lookup_type: 'virtual-hosted', region: 'here' },
    'http://costs.minio.storage.svc/k',
    'here',
  ],
  ['10.0.0.1:9000', {}, '10.0.0.1:9000', 'us-east-1'],
  ['[2001:db8::1]:9000', {}, '[2001:db8::1]:9000', 'us-east-1'],
  ['https://[2001:db8::1]', {}, '[2001:db8::1]:443', 'us-east-1'],
  ['http://[2001:db8::1]:9000', { insecure: true }, 'http://[2001:db8::1]:9000/costs/k', 'us-east-1'],
  ['s3.eu-central-003.backblazeb2.com', {}, 's3.eu-central-003.backblazeb2.com:443', 'eu-central-003'],
  ['s3.eu-central-1.wasabisys.com', {}, 's3.eu-central-1.wasabisys.com:443', 'eu-central-1'],
  ['s3.fr-par.scw.cloud', {}, 's3.fr-par.scw.cloud:443', 'fr-par'],
  ['0abc.eu.r2.cloudflarestorage.com', {}, '0abc.eu.r2.cloudflarestorage.com:443', 'auto'],
])('S3 at %s with %j asks %s and signs for %s', async (endpoint, more, host, region) => {
  const store = s3Of(endpoint, more);
  expect(s3Location(store.config as S3Config).region).toBe(region);
  expect(await hostAskedBy(store)).toBe(host);
});

test.each<[endpoint: string, more: object, message: RegExp]>([
  ['https://s3.x/path', {}, /config\.endpoint has to be a host/],
  ['2001:db8::1', {}, /an IPv6 address in brackets/],
  ['[2001:db8::zz]', {}, /config\.endpoint has to be a host/],
  ['[fe80::1%eth0]:9000', {}, /config\.endpoint has to be a host/],
  ['minio:99999', {}, /config\.endpoint has to be a host/],
  ['http://minio:9000', {}, /begins with http, which contradicts insecure: false/],
  ['https://minio:9000', { insecure: true }, /begins with https, which contradicts insecure: true/],
  ['[::1]:9000', { bucket_lookup_type: 'virtual-hosted' }, /bucket_lookup_type virtual-hosted needs a name/],
  ['costs.s3.eu-west-1.amazonaws.com', {}, /begins with the name of the bucket/],
  ['s3.eu-west-1.amazonaws.com:9000', {}, /a port that Amazon’s hosts do not have/],
  [
    's3.eu-west-1.amazonaws.com',
    { region: 'eu-west-2' },
    /config\.region contradicts the endpoint, which is of eu-west-1/,
  ],
  ['s3-external-1.amazonaws.com', { region: 'eu-west-2' }, /config\.region contradicts the endpoint/],
  ['s3-accelerate.amazonaws.com', {}, /config\.region is needed/],
  [
    's3-accelerate.amazonaws.com',
    { region: 'eu-west-1', bucket_lookup_type: 'path' },
    /path is not possible/,
  ],
  [
    's3.dualstack.eu-west-1.amazonaws.com',
    { disable_dualstack: true },
    /config\.disable_dualstack contradicts the endpoint/,
  ],
  ['s3-website-us-east-1.amazonaws.com', {}, /does not serve buckets/],
  ['s3-website.eu-central-1.amazonaws.com', {}, /does not serve buckets/],
  ['s3-control.eu-west-1.amazonaws.com', {}, /does not serve buckets/],
  ['s3.eu-west.amazonaws.com', {}, /may be misspelled/],
])('S3 at %s with %j is refused: %s', (endpoint, more, message) => {
  expect(() => s3Of(endpoint, more)).toThrow(message);
});

const azureOf = (more: object) =>
  storeOf('AZURE', {
    storage_account: 'acme',
    storage_account_key: 'a2V5',
    container: 'costs',
    max_retries: 1,
    ...more,
  });

test.each<[more: object, host: string]>([
  [{}, 'acme.blob.core.windows.net:443'],
  [{ endpoint: 'blob.core.chinacloudapi.cn' }, 'acme.blob.core.chinacloudapi.cn:443'],
  [{ endpoint: 'privatelink.blob.core.windows.net' }, 'acme.privatelink.blob.core.windows.net:443'],
  [{ endpoint: 'blob.store.test:10000' }, 'acme.blob.store.test:10000'],
  [
    {
      storage_account_key: '',
      storage_connection_string:
        'AccountName=acme;AccountKey=a2V5;BlobEndpoint=http://[2001:db8::1]:10000/acme',
    },
    'http://[2001:db8::1]:10000/acme/costs/k',
  ],
])('AZURE with %j asks %s', async (more, host) => {
  expect(await hostAskedBy(azureOf(more))).toBe(host);
});

test.each<[endpoint: string, message: RegExp]>([
  ['10.0.0.1:10000', /cannot be an address/],
  ['[::1]:10000', /has to be a host/],
  ['acme.blob.core.windows.net', /begins with the account/],
  ['https://blob.core.windows.net', /has to be a host/],
])('AZURE at %s is refused: %s', (endpoint, message) => {
  expect(() => azureOf({ endpoint })).toThrow(message);
});

test('an emulator of GCS is asked at the address that is written', async () => {
  const store = storeOf('GCS', { bucket: 'costs', max_retries: 1 });
  for (const gcsEmulator of ['https://gcs.test:4443', 'http://[2001:db8::1]:4443']) {
    const bucket = await openBucket(store, { gcsEmulator });
    await bucket.head('k').catch(() => undefined);
    await bucket.close();
  }
  expect(asked).toEqual(['gcs.test:4443', 'http://[2001:db8::1]:4443/storage/v1/b/costs/o/k']);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
(hasIpv6 ? test : test.skip)('an IPv6 address is reached', async () => {
  delete process.env['HTTP_PROXY'];
  const seen: string[] = [];
  const server: Server = createServer(({ headers, url }, response) => {
    seen.push(`${headers.host} ${url}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '::1', resolve));
  const { port } = server.address() as { port: number };
  const bucket = await openBucket(s3Of(`[::1]:${port}`, { insecure: true }));
  try {
    expect(await bucket.head('k')).toBeUndefined();
    expect(seen).toEqual([`[::1]:${port} /costs/k`]);
  } finally {
    await bucket.close();
    server.close();
  }
});
