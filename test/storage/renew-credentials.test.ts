import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bucket } from '../../storage/bucket';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsCredentials } from '../../storage/drivers/gcs-config';
import { openS3 } from '../../storage/drivers/s3';
import type { FederatedStore } from '../../storage/federated-store';
import { openBucket, readFederatedStore } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { type RenewalOptions, withRenewal } from '../../storage/renew-credentials';
import { connectToAzure, describeWithAzure } from '../servers/azurite';
import { clearEnvironment } from '../servers/clear-environment';
import { type S3Users, startS3Users } from '../servers/s3-users';
import { describeWithS3, type S3Server, s3Store, startS3Server } from '../servers/versitygw';
import { type FaultyGcsServer, gcsError, json, resource, startFaultyGcsServer } from './faulty-gcs-server';
import { type FaultyServer, startFaultyServer, xmlError } from './faulty-s3-server';
import { type MountedFile, mountFile } from './mounted-file';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

clearEnvironment(/^AWS_/);
const opened: Bucket[] = [];
const keep = async (bucket: Promise<Bucket>): Promise<Bucket> => {
  opened.push(await bucket);
  return bucket;
};
afterEach(() => Promise.all(opened.splice(0).map((bucket) => bucket.close())));
afterAll(removeTemporaryFolders);

const mounted = (store: object): MountedFile =>
  mountFile(temporaryFolder(), 'federated-store.yaml', JSON.stringify(store));

describeWithS3('credentials of an S3 server', () => {
  let [users, server]: [S3Users?, S3Server?] = [];
  afterAll(async () => {
    await server?.stop();
    await users?.stop();
  });

  test('that are rotated there and in the mounted file are used by an open bucket', async () => {
    users = await startS3Users();
    server = await startS3Server({ rootDir: temporaryFolder(), users });
    await server.createBucket('costs');
    const statement = { Effect: 'Allow', Action: 's3:*', Resource: '*' };
    const first = await users.create('federator', [
      JSON.stringify({ Version: '2012-10-17', Statement: statement }),
    ]);
    const storeOf = (user: typeof first) => s3Store({ ...server!, ...user }, 'costs');
    const file = mounted(storeOf(first));
    const renewed: string[] = [];
    const bucket = await keep(
      openBucket(await readFederatedStore(file.path), { renewed: (message) => renewed.push(message) }),
    );
    await bucket.put('k', Buffer.from('one'));
    const second = await users.rotate('federator', first);
    await expect(bucket.put('k', Buffer.from('two'))).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
    });
    file.write(JSON.stringify(storeOf(second)));
    await bucket.put('k', Buffer.from('three'));
    expect((await readAll(bucket, 'k', { maxBytes: 9 })).bytes.toString()).toBe('three');
    expect(renewed).toEqual([`${file.path} has changed and is used from now on.`]);
  });
});

describeWithAzure('credentials of an Azure server', () => {
  test('that are rotated in the mounted file are used by an open bucket', async () => {
    const azure = await connectToAzure();
    const container = `c-${randomUUID()}`;
    await azure.createContainer(container);
    const storeOf = (connection: string) => ({
      type: 'AZURE',
      config: { container, storage_connection_string: connection },
    });
    const wrong = azure.connectionString.replace(/AccountKey=[^;]+/, 'AccountKey=d3Jvbmc=');
    const file = mounted(storeOf(wrong));
    const bucket = await keep(openBucket(await readFederatedStore(file.path)));
    await expect(bucket.put('k', Buffer.from('one'))).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
    });
    file.write(JSON.stringify(storeOf(azure.connectionString)));
    await expect(bucket.put('k', Buffer.from('two'))).resolves.toMatchObject({ size: 3 });
  });
});

/**
 * Opens the store that a mounted file describes, with a driver that makes one attempt per call. Collects the messages
 * about the file.
 */
async function watched(file: MountedFile, open: RenewalOptions['open'], lookEveryMs = 3_600_000) {
  const [warnings, renewals]: [string[], string[]] = [[], []];
  const kept: (string | undefined)[] = [];
  const bucket = await keep(
    withRenewal(await readFederatedStore(file.path), {
      open,
      read: () => readFederatedStore(file.path),
      warn: (message) => warnings.push(message),
      renewed: (message) => renewals.push(message),
      kept: (why) => kept.push(why),
      lookEveryMs,
    }),
  );
  return { bucket, warnings, renewals, kept };
}

describe('credentials of GCS', () => {
  let server: FaultyGcsServer;
  beforeAll(async () => {
    server = await startFaultyGcsServer();
  });
  afterAll(() => server.close());

  test('that are rotated in the mounted file are used by an open bucket', async () => {
    const storeOf = (key: string) => ({
      type: 'GCS',
      config: {
        bucket: 'costs',
        service_account: JSON.stringify({ type: 'service_account', private_key: key }),
      },
    });
    const file = mounted(storeOf('old'));
    const keys: unknown[] = [];
    const { bucket } = await watched(file, (store) => {
      if (store.type !== 'GCS') throw new Error(store.type);
      keys.push(gcsCredentials(store.config)?.['private_key']);
      return openGcs(store.config, { apiEndpoint: server.endpoint });
    });
    server.answer(
      gcsError(401, 'authError'),
      gcsError(401, 'authError'),
      json(200, resource('k', Buffer.alloc(3))),
    );
    await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
    file.write(JSON.stringify(storeOf('new')));
    await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: true });
    await expect(bucket.head('k')).resolves.toMatchObject({ size: 3 });
    expect(keys).toEqual(['old', 'new']);
  });
});

describe('a file that changes', () => {
  let server: FaultyServer;
  beforeAll(async () => {
    server = await startFaultyServer();
  });
  afterAll(() => server.close());
  const storeOf = (config: object = {}) => ({
    type: 'S3',
    config: {
      bucket: 'costs',
      endpoint: server.endpoint,
      insecure: true,
      access_key: 'a',
      secret_key: 's',
      ...config,
    },
  });
  const open = (store: FederatedStore): Promise<Bucket> =>
    store.type === 'S3' ? openS3(store.config) : Promise.reject(new Error(store.type));
  const fine = (response: Parameters<Parameters<FaultyServer['answer']>[0]>[0]): void =>
    void response
      .writeHead(200, { etag: '"v1"', 'content-length': '3', 'last-modified': new Date(0).toUTCString() })
      .end('one');
  const denied = xmlError(403, 'SignatureDoesNotMatch');
  /** Returns, for each request to the store, the access key and the session token that signed it. */
  const signers = () =>
    server.seen.map(
      ({ headers }) =>
        `${/Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1]} ${String(headers['x-amz-security-token'] ?? '')}`,
    );

  test('is used without any denial, too', async () => {
    const file = mounted(storeOf());
    const { bucket, renewals } = await watched(file, open, 0);
    server.answer(fine);
    await bucket.head('k');
    file.write(JSON.stringify(storeOf({ access_key: 'b' })));
    await bucket.head('k');
    expect(signers()).toEqual(['a ', 'b ']);
    expect(renewals).toHaveLength(1);
  });

  test('is used with a warning about its new content only', async () => {
    const file = mounted(storeOf({ unknown: 1 }));
    const { bucket, warnings } = await watched(file, open, 0);
    server.answer(fine);
    await bucket.head('k');
    file.write(JSON.stringify(storeOf({ unknown: 1, access_key: 'b\n' })));
    await bucket.head('k');
    expect(signers()).toEqual(['a ', 'b ']);
    expect(warnings).toEqual([expect.stringMatching(/config\.access_key has white space around it/)]);
  });

  test.each([
    [
      'a head, whose refusal has no body',
      (bucket: Bucket) => bucket.head('k'),
      xmlError(400, 'ExpiredToken'),
    ],
    ['a read', (bucket: Bucket) => readAll(bucket, 'k', { maxBytes: 9 }), xmlError(400, 'ExpiredToken')],
    ['a write', (bucket: Bucket) => bucket.put('k', Buffer.from('x')), denied],
    ['a create', (bucket: Bucket) => bucket.create('k', Buffer.from('x')), denied],
    ['a delete', (bucket: Bucket) => bucket.delete('k'), denied],
  ])('brings new session tokens to %s', async (_, act, refusal) => {
    const file = mounted(storeOf({ session_token: 'old' }));
    const bucket = await keep(openBucket(await readFederatedStore(file.path)));
    server.answer(refusal, fine);
    file.write(JSON.stringify(storeOf({ session_token: 'new' })));
    await act(bucket);
    expect(signers()).toEqual(['a old', 'a new']);
  });

  test.each([
    [
      'half-written',
      (text: string) => text.slice(0, -9),
      /cannot be used.*keeps what it read before.*STORE_CONFIG_INVALID/s,
    ],
    ['emptied', () => '', /is empty/],
    ['a secret without its key', () => JSON.stringify(storeOf({ access_key: '' })), /belong together/],
    ['of another bucket', () => JSON.stringify(storeOf({ bucket: 'other' })), /another bucket.*restart/],
    ['of another endpoint', () => JSON.stringify(storeOf({ endpoint: 'other' })), /another bucket, endpoint/],
    ['of another prefix', () => JSON.stringify({ ...storeOf(), prefix: 'other' }), /endpoint or prefix/],
    [
      'of another type',
      () => JSON.stringify({ type: 'FILESYSTEM', config: { directory: '/' } }),
      /another bucket/,
    ],
  ])('and is %s leaves the old one in use, with one warning', async (_, change, warning) => {
    const file = mounted(storeOf());
    const { bucket, warnings, renewals, kept } = await watched(file, open, 0);
    server.answer(fine);
    file.write(change(JSON.stringify(storeOf())));
    await bucket.head('k');
    await bucket.head('k');
    expect(signers()).toEqual(['a ', 'a ']);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
    expect(renewals).toEqual([]);
    expect(kept).toEqual(warnings);
    file.write(JSON.stringify(storeOf({ access_key: 'b' })));
    await bucket.head('k');
    expect(signers()[2]).toBe('b ');
    expect(warnings).toHaveLength(1);
    expect(kept).toEqual([...warnings, undefined]);
  });

  test('and is gone leaves the old one in use, with one warning', async () => {
    const file = mounted(storeOf());
    const { bucket, warnings } = await watched(file, open, 0);
    server.answer(denied);
    rmSync(file.path);
    await expect(bucket.head('k')).rejects.toMatchObject({ retryable: false });
    await expect(bucket.head('k')).rejects.toMatchObject({ retryable: false });
    expect(warnings).toEqual([expect.stringMatching(/cannot be read/)]);
  });

  test('does not disturb a body or a listing that is being read', async () => {
    const file = mounted(storeOf());
    const closed: string[] = [];
    const { bucket } = await watched(
      file,
      async (store) => {
        const driver = await open(store);
        const name = store.type === 'S3' ? (store.config.access_key?.reveal() ?? '') : '';
        const close = driver.close.bind(driver);
        return Object.assign(driver, { close: () => close().finally(() => closed.push(name)) });
      },
      0,
    );
    server.answer(fine);
    const { body } = await bucket.get('k');
    file.write(JSON.stringify(storeOf({ access_key: 'b' })));
    await bucket.head('k');
    expect(closed).toEqual([]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('one');
    expect(closed).toEqual(['a']);
  });

  test('is not what a lasting refusal is about: it is asked once', async () => {
    const file = mounted(storeOf());
    const bucket = await keep(openBucket(await readFederatedStore(file.path)));
    server.answer(denied);
    await expect(bucket.head('k')).rejects.toMatchObject({ code: 'STORAGE_ACCESS_DENIED', retryable: false });
    expect(server.seen).toHaveLength(1);
  });

  test('without credentials: those that the SDK finds in a file of its own are read again', async () => {
    const credentials = join(temporaryFolder(), 'credentials');
    const write = (key: string): void =>
      writeFileSync(credentials, `[default]\naws_access_key_id = ${key}\naws_secret_access_key = s\n`);
    write('old');
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    const bucket = await keep(
      openBucket(await readFederatedStore(mounted(storeOf({ access_key: '', secret_key: '' })).path)),
    );
    server.answer(fine, denied, fine);
    await bucket.put('k', Buffer.from('x'));
    write('new');
    await bucket.put('k', Buffer.from('x'));
    expect(signers()).toEqual(['old ', 'old ', 'new ']);
  });
});
