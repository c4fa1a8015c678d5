import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { startTlsServer, type TlsServer } from './tls-server';

let server: TlsServer;
beforeAll(async () => {
  server = await startTlsServer();
});
afterAll(() => server.close());
afterAll(removeTemporaryFolders);

/**
 * Opens a bucket with the given TLS settings and calls `head` for an object. Returns the warnings from opening the
 * bucket.
 */
async function look(tls_config: object, http: object = {}): Promise<{ warnings: string[] }> {
  const config = {
    bucket: 'costs',
    endpoint: server.host,
    access_key: 'a',
    secret_key: 'b',
    http_config: { ...http, tls_config },
  };
  const warnings: string[] = [];
  const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'), {
    warn: (warning) => warnings.push(warning),
  });
  server.clients.length = 0;
  try {
    expect(await bucket.head('k')).toBeUndefined();
    return { warnings };
  } finally {
    await bucket.close();
  }
}

test('a private authority is trusted if ca_file names it', async () => {
  expect(await look({ ca_file: server.files.ca })).toEqual({ warnings: [] });
});

test('an unknown authority is refused at once, with what to do', async () => {
  const before = server.connections();
  await expect(look({})).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    retryable: false,
    hint: expect.stringContaining('ca_file') as string,
  });
  expect(server.clients).toEqual([]);
  expect(server.connections() - before).toBe(1);
});

test('a client presents its certificate', async () => {
  await look({ ca_file: server.files.ca, cert_file: server.files.cert, key_file: server.files.key });
  expect(server.clients).toEqual(['a client']);
  await look({ ca_file: server.files.ca });
  expect(server.clients).toEqual(['']);
});

test('the name in the certificate may differ from the host’s', async () => {
  await look({ ca_file: server.files.ca, server_name: 'store.internal' });
  await expect(look({ ca_file: server.files.ca, server_name: 'other.internal' })).rejects.toMatchObject({
    retryable: false,
  });
});

test.each([
  ['http_config', {}, { insecure_skip_verify: true }],
  ['tls_config', { insecure_skip_verify: true }, {}],
])('a check that %s turns off is skipped, with a warning', async (_, tls, http) => {
  const { warnings } = await look(tls, http);
  expect(warnings).toEqual([expect.stringContaining('certificate')]);
});

test('a missing file is named', async () => {
  await expect(look({ ca_file: '/none/ca.pem' })).rejects.toMatchObject({
    code: 'STORE_CONFIG_INVALID',
    message: expect.stringContaining('config.http_config.tls_config.ca_file names /none/ca.pem') as string,
  });
});

test('a customer-provided key (SSE-C) is sent with every request for an object', async () => {
  const key = Buffer.alloc(32, 7);
  const encryption_key = path.join(temporaryFolder(), 'sse-c.key');
  writeFileSync(encryption_key, key);
  const config = {
    bucket: 'costs',
    endpoint: server.host,
    access_key: 'a',
    secret_key: 'b',
    sse_config: { type: 'SSE-C', encryption_key },
    http_config: { tls_config: { ca_file: server.files.ca } },
  };
  const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
  server.headers.length = 0;
  await bucket.head('k');
  await expect(bucket.get('k')).rejects.toThrow();
  await expect(bucket.put('k', Buffer.from('x'))).rejects.toThrow();
  await bucket.close();
  expect(server.headers).toHaveLength(3);
  for (const headers of server.headers) {
    expect(headers).toMatchObject({
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': key.toString('base64'),
      'x-amz-server-side-encryption-customer-key-md5': createHash('md5').update(key).digest('base64'),
    });
  }
});
