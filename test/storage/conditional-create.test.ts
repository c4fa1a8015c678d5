import { randomUUID } from 'node:crypto';
import type { Bucket } from '../../storage/bucket';
import { lookBeforeCreate, probeConditionalCreate, withProbedCreate } from '../../storage/conditional-create';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { startFaultyServer } from './faulty-s3-server';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { withFaults } from './with-faults';

afterAll(removeTemporaryFolders);

/**
 * Opens a bucket whose `create` replaces an existing object, like a store that ignores the condition of a conditional
 * PUT.
 */
function careless(): Bucket {
  const bucket = openFilesystem({ directory: temporaryFolder() });
  bucket.create = (key, body, options) => bucket.put(key, body, options);
  return bucket;
}
const keys = async (bucket: Bucket) => {
  const found: string[] = [];
  for await (const entry of bucket.list('')) found.push(entry.kind === 'object' ? entry.key : entry.prefix);
  return found;
};

test('a store that honours the condition, and one that ignores it, are distinguished and left clean', async () => {
  const folder = openFilesystem({ directory: temporaryFolder() });
  expect(await probeConditionalCreate(folder, 'probe/1')).toBe('kept');
  const ignoring = careless();
  expect(await probeConditionalCreate(ignoring, 'probe/1')).toBe('ignored');
  expect([...(await keys(folder)), ...(await keys(ignoring))]).toEqual([]);
});

test('a store that does not support the condition is reported', async () => {
  const server = await startFaultyServer();
  const config = {
    bucket: 'costs',
    endpoint: server.endpoint,
    access_key: 'a',
    secret_key: 's',
    insecure: true,
  };
  const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
  server.answer((response, request) =>
    request.headers['if-none-match'] === undefined
      ? response.writeHead(204).end()
      : response.writeHead(501).end('<Error><Code>NotImplemented</Code><Message>no</Message></Error>'),
  );
  expect(await probeConditionalCreate(bucket, 'probe/1')).toBe('unknown');
  // The probe must not repeat the refused PUT. It always ends with a DELETE of its object.
  expect(server.seen.map(({ method }) => method)).toEqual(['PUT', 'DELETE']);
  await bucket.close();
  await server.close();
});

test('a create that looks first does not replace an existing object', async () => {
  const bucket = lookBeforeCreate(careless());
  await bucket.create('k', Buffer.from('first'));
  await expect(bucket.create('k', Buffer.from('second'))).rejects.toMatchObject({
    code: 'STORAGE_PRECONDITION_FAILED',
  });
  expect((await readAll(bucket, 'k')).bytes.toString()).toBe('first');
});

test('a store is probed at the first create, once, and creates look first if it ignores conditions', async () => {
  const store = careless();
  const writes: string[] = [];
  const put = store.put.bind(store);
  store.put = (key, ...rest) => {
    writes.push(key);
    return put(key, ...rest);
  };
  const { bucket, conditionalCreate } = withProbedCreate(store, 'probe/1');
  await bucket.put('before', Buffer.from('x'));
  expect(writes).toEqual(['before']);
  await bucket.create('k', Buffer.from('first'));
  await expect(bucket.create('k', Buffer.from('second'))).rejects.toMatchObject({
    code: 'STORAGE_PRECONDITION_FAILED',
  });
  expect(await conditionalCreate()).toBe('ignored');
  expect(writes).toEqual(['before', 'probe/1', 'probe/1', 'k']);
  expect(await keys(bucket)).toEqual(['before', 'k']);
  const good = withProbedCreate(openFilesystem({ directory: temporaryFolder() }), 'probe/1');
  await good.bucket.create('k', Buffer.from('x'));
  await expect(good.bucket.create('k', Buffer.from('y'))).rejects.toThrow();
  expect(await good.conditionalCreate()).toBe('kept');
});

test('two concurrent first creates share one probe, which neither caller’s abort ends', async () => {
  const store = openFilesystem({ directory: temporaryFolder() });
  const created: string[] = [];
  const create = store.create.bind(store);
  store.create = async (key, ...rest) => {
    created.push(key);
    return create(key, ...rest);
  };
  const { bucket, conditionalCreate } = withProbedCreate(store, 'probe/1');
  const stop = new AbortController();
  const aborted = bucket.create('a', Buffer.from('x'), { signal: stop.signal });
  const others = ['b', 'c'].map((key) => bucket.create(key, Buffer.from('x')));
  stop.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await Promise.all(others);
  expect(await conditionalCreate()).toBe('kept');
  expect(created).toEqual(['probe/1', 'probe/1', 'b', 'c']);
  expect(await keys(bucket)).toEqual(['b', 'c']);
});

test('a failed probe is repeated', async () => {
  const store = withFaults(openFilesystem({ directory: temporaryFolder() }), {
    calls: { create: ['request lost'] },
  });
  const { bucket } = withProbedCreate(store, 'probe/1');
  const creates = ['a', 'b'].map((key) => bucket.create(key, Buffer.from('x')));
  for (const one of await Promise.allSettled(creates))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE' } });
  await bucket.create('a', Buffer.from('x'));
  expect(await keys(bucket)).toEqual(['a']);
});

describeWithS3('an S3 server', () => {
  test('honours the condition', async () => {
    const s3 = await connectToS3();
    const name = `b-${randomUUID()}`;
    await s3.createBucket(name);
    const config = s3Settings(s3, name);
    const bucket = await openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config }), 'f.yaml'));
    expect(await probeConditionalCreate(bucket, 'federated/combined/probe/1')).toBe('kept');
    expect(await keys(bucket)).toEqual([]);
    await bucket.close();
  });
});
