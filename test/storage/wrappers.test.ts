import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discard } from '../../storage/body';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { dryRun, type IntendedWrite } from '../../storage/dry-run';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { readOnly } from '../../storage/read-only';
import { type StorageCall, withMetrics } from '../../storage/with-metrics';
import { withPrefix } from '../../storage/with-prefix';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { withFaults } from './with-faults';

afterAll(removeTemporaryFolders);

const directory = temporaryFolder();
const bucket = openFilesystem({ directory });
const keys = async (from: typeof bucket, prefix = '') => {
  const found: string[] = [];
  for await (const entry of from.list(prefix)) found.push(entry.kind === 'object' ? entry.key : '');
  return found;
};

describe('a bucket below a prefix', () => {
  const inner = withPrefix(bucket, 'team/a');

  test('neither shows nor reaches keys outside it', async () => {
    for (const key of ['team/a/x', 'team/ab', 'team/b', 'outside']) await bucket.put(key, Buffer.from(key));
    expect(await keys(inner)).toEqual(['x']);
    expect(await keys(inner, 'x')).toEqual(['x']);
    for (const key of ['../b', '/../b', '..']) {
      await expect(inner.head(key)).rejects.toMatchObject({ code: 'STORAGE_INVALID_KEY' });
      await expect(inner.copy('x', key)).rejects.toMatchObject({ code: 'STORAGE_INVALID_KEY' });
    }
    await expect(keys(inner, '../')).rejects.toMatchObject({ code: 'STORAGE_INVALID_KEY' });
    expect(inner.label).toBe(`file://${directory}/team/a`);
    expect(withPrefix(bucket, '')).toBe(bucket);
  });
});

test('a read-only bucket reads, and refuses every write', async () => {
  await bucket.put('ro', Buffer.from('x'));
  const reader = readOnly(bucket);
  expect((await readAll(reader, 'ro')).bytes.toString()).toBe('x');
  const code = 'STORAGE_READ_ONLY';
  await expect(reader.put('ro', Buffer.from('y'))).rejects.toMatchObject({ code });
  await expect(reader.create('new', Buffer.from('y'))).rejects.toMatchObject({ code });
  await expect(reader.copy('ro', 'new')).rejects.toMatchObject({ code });
  await expect(reader.delete('ro')).rejects.toMatchObject({ code });
});

describe('reading whole objects', () => {
  test('has a limit', async () => {
    await bucket.put('big', Buffer.alloc(1001));
    expect((await readAll(bucket, 'big', { maxBytes: 1001 })).bytes).toHaveLength(1001);
    await expect(readAll(bucket, 'big', { maxBytes: 1000 })).rejects.toMatchObject({
      code: 'STORAGE_TOO_LARGE',
    });
  });
});

test('a file opens the bucket that it describes', async () => {
  const path = join(temporaryFolder(), 'federated-store.yaml');
  writeFileSync(path, JSON.stringify({ type: 'filesystem', config: { directory, dir: 'x' }, prefix: 'p' }));
  const warnings: string[] = [];
  const opened = await openBucketFromFile(path, { warn: (warning) => warnings.push(warning) });
  await opened.put('k', Buffer.from('x'));
  expect(opened).toMatchObject({ type: 'FILESYSTEM', label: `file://${directory}/p` });
  expect(await bucket.head('p/k')).toMatchObject({ size: 1 });
  expect(warnings).toHaveLength(1);
  await opened.close();
  await expect(openBucketFromFile(`${path}.none`)).rejects.toMatchObject({ code: 'STORE_CONFIG_INVALID' });
});

describe('an observed bucket', () => {
  const seen: StorageCall[] = [];
  const calls = () => seen.splice(0).map(({ ms: _, ...call }) => call);
  const observed = withMetrics(
    withFaults(bucket, { calls: { copy: ['request lost'] }, bodies: [10_000, 3] }),
    (call) => seen.push(call),
  );
  const text = Buffer.from('ten bytes!');

  test('reports each call once, with its outcome and bytes', async () => {
    await observed.put('m/1', text);
    await observed.create('m/2', text);
    await expect(observed.create('m/2', text)).rejects.toThrow();
    expect((await readAll(observed, 'm/1')).bytes.equals(text)).toBe(true);
    await observed.head('m/1');
    await expect(observed.copy('m/1', 'm/3')).rejects.toThrow();
    await observed.copy('m/1', 'm/3');
    expect(await keys(observed, 'm/')).toHaveLength(3);
    await observed.delete('m/3');
    expect(calls()).toEqual([
      { verb: 'put', key: 'm/1', outcome: 'ok', bytes: 10 },
      { verb: 'create', key: 'm/2', outcome: 'ok', bytes: 10 },
      { verb: 'create', key: 'm/2', outcome: 'STORAGE_PRECONDITION_FAILED' },
      { verb: 'get', key: 'm/1', outcome: 'ok', bytes: 10 },
      { verb: 'head', key: 'm/1', outcome: 'ok', bytes: undefined },
      { verb: 'copy', key: 'm/3', outcome: 'STORAGE_UNAVAILABLE' },
      { verb: 'copy', key: 'm/3', outcome: 'ok', bytes: 10 },
      { verb: 'list', key: 'm/', outcome: 'ok', entries: 3, pages: 1 },
      { verb: 'delete', key: 'm/3', outcome: 'ok', bytes: undefined },
    ]);
  });

  test('reports bodies that broke off, unread bodies, and aborted calls', async () => {
    await expect(readAll(observed, 'm/1')).rejects.toThrow();
    await discard((await observed.get('m/1')).body);
    for await (const _ of observed.list('m/')) break;
    await expect(observed.head('m/1', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow();
    expect(calls()).toEqual([
      { verb: 'get', key: 'm/1', outcome: 'STORAGE_UNAVAILABLE', bytes: 3 },
      { verb: 'get', key: 'm/1', outcome: 'ok', bytes: 0 },
      { verb: 'list', key: 'm/', outcome: 'ok', entries: 1, pages: 1 },
      { verb: 'head', key: 'm/1', outcome: 'aborted' },
    ]);
  });
});

test('a dry run reads, and only reports its writes', async () => {
  await bucket.put('dry/there', Buffer.from('x'));
  const writes: IntendedWrite[] = [];
  const dry = dryRun(bucket, (write) => writes.push(write));
  async function* body() {
    await Promise.resolve();
    yield Buffer.from('12345');
  }
  expect(await dry.put('dry/new', body())).toMatchObject({ key: 'dry/new', size: 5 });
  await dry.create('dry/created', Buffer.from('123'));
  await expect(dry.create('dry/there', Buffer.from('y'))).rejects.toMatchObject({
    code: 'STORAGE_PRECONDITION_FAILED',
  });
  await dry.copy('dry/there', 'dry/copied');
  await expect(dry.copy('dry/none', 'dry/copied')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
  await dry.delete('dry/there');
  await expect(dry.put('../x', body())).rejects.toMatchObject({ code: 'STORAGE_INVALID_KEY' });
  expect(writes).toEqual([
    { verb: 'put', key: 'dry/new', size: 5 },
    { verb: 'create', key: 'dry/created', size: 3 },
    { verb: 'copy', key: 'dry/copied', size: 1 },
    { verb: 'delete', key: 'dry/there' },
  ]);
  expect(await keys(bucket, 'dry/')).toEqual(['dry/there']);
  expect((await readAll(dry, 'dry/there')).bytes.toString()).toBe('x');
});
