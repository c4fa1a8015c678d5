import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Bucket } from '../../storage/bucket';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { toStorageError } from '../../storage/drivers/filesystem-files';
import { readAll } from '../../storage/read-all';
import { loadTypescript } from '../servers/load-typescript';
import { until } from '../until';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

afterAll(removeTemporaryFolders);

let root: string;
let bucket: Bucket;
let warnings: string[];
beforeEach(() => {
  root = temporaryFolder();
  warnings = [];
  bucket = openFilesystem({ directory: root }, { warn: (warning) => warnings.push(warning) });
});
afterEach(() => bucket.close());

const text = async (key: string) => (await readAll(bucket, key)).bytes.toString();
const keys = async (prefix = '') => {
  const found: string[] = [];
  for await (const entry of bucket.list(prefix))
    found.push(entry.kind === 'object' ? entry.key : entry.prefix);
  return found;
};

test('a killed writer leaves the previous object, and its leftovers are swept after an hour', async () => {
  await bucket.put('k', Buffer.from('old'), { metadata: { state: 'old' } });
  const writer = spawn(process.execPath, [...loadTypescript, join(__dirname, 'hanging-writer.ts'), root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(writer.stdout, 'data');
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  expect(await text('k')).toBe('old');
  expect((await bucket.head('k'))?.metadata).toEqual({ state: 'old' });
  expect(await keys()).toEqual(['k']);
  const leftovers = () => readdirSync(root).filter((name) => name.startsWith('.tmp-'));
  expect(leftovers()).toHaveLength(1);

  const reopen = () => openFilesystem({ directory: root });
  const sweptOnce = reopen();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await sweptOnce.close();
  expect(leftovers()).toHaveLength(1);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of leftovers()) utimesSync(join(root, name), longAgo, longAgo);
  mkdirSync(join(root, 'only/leftovers'), { recursive: true });
  for (const name of ['.tmp-1-a', '.meta-1-2-3.json']) {
    writeFileSync(join(root, 'only/leftovers', name), '{}');
    utimesSync(join(root, 'only/leftovers', name), longAgo, longAgo);
  }
  const sweptLater = reopen();
  // Wait until the sweep has removed the leftover files. Closing the bucket earlier would stop the sweep.
  await until('the sweep is done', async () =>
    leftovers().length === 0 && !readdirSync(root).includes('only') ? true : undefined,
  );
  await sweptLater.close();
  expect((await bucket.head('k'))?.metadata).toEqual({ state: 'old' });
});

test('nothing is left beside the objects, and folders are removed with their last object', async () => {
  await bucket.put('a/b/c/x', Buffer.from('1'), { metadata: { m: '1' } });
  await bucket.put('a/b/c/x', Buffer.from('2'), { metadata: { m: '2' } });
  await bucket.copy('a/b/c/x', 'a/y');
  expect(readdirSync(join(root, 'a/b/c'))).toHaveLength(2);
  await bucket.delete('a/b/c/x');
  expect(readdirSync(join(root, 'a'))).toHaveLength(2);
  await bucket.delete('a/y');
  expect(readdirSync(root)).toEqual([]);
  await expect(bucket.put('c/d', failing())).rejects.toThrow('no');
  expect(readdirSync(root)).toEqual([]);
});

test('puts and deletes in one folder do not make each other fail', async () => {
  const rounds = Array.from({ length: 60 }, (_, i) => i);
  await Promise.all(
    rounds.map(async (i) => {
      await bucket.put(`a/b/c/${i}`, Buffer.from('x'), { metadata: { i: String(i) } });
      await bucket.delete(`a/b/c/${i}`);
    }),
  );
  expect(readdirSync(root)).toEqual([]);
});

describe('links', () => {
  beforeEach(() => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, join(root, 'folder'));
    symlinkSync(join(outside, 'secret'), join(root, 'leaf'));
  });

  test('are not followed', async () => {
    await bucket.put('k', Buffer.from('x'));
    for (const key of ['folder/secret', 'leaf']) {
      expect(await bucket.head(key)).toBeUndefined();
      await expect(bucket.get(key)).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
      await expect(bucket.copy(key, 'stolen')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
      await bucket.delete(key);
    }
    await expect(bucket.put('folder/new', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
    });
    await expect(bucket.put('folder/deep/er', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORAGE_ACCESS_DENIED',
    });
    expect(await keys()).toEqual(['k']);
    expect(await keys('folder/')).toEqual([]);
    expect(warnings.length).toBeGreaterThan(0);
    expect(readdirSync(join(root, 'folder'))).toEqual(['secret']);
    expect(readFileSync(join(root, 'leaf'), 'utf8')).toBe('secret');
  });

  test('to the root itself are followed', async () => {
    const link = join(temporaryFolder(), 'volume');
    symlinkSync(root, link);
    const linked = openFilesystem({ directory: link });
    await linked.put('a/b', Buffer.from('x'));
    expect(await text('a/b')).toBe('x');
    await linked.close();
  });
});

test('anything but a regular file is not an object', async () => {
  mkdirSync(join(root, 'folder/empty'), { recursive: true });
  execFileSync('mkfifo', [join(root, 'pipe')]);
  expect(await bucket.head('pipe')).toBeUndefined();
  await expect(bucket.get('pipe')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
  await expect(bucket.get('folder')).rejects.toMatchObject({ code: 'STORAGE_NOT_FOUND' });
  expect(await bucket.head('folder')).toBeUndefined();
  await bucket.delete('folder');
  expect(await keys()).toEqual([]);
  const folders: unknown[] = [];
  for await (const entry of bucket.list('', { delimiter: '/' })) folders.push(entry);
  expect(folders).toEqual([]);
});

test('an object and a folder cannot have the same name', async () => {
  await bucket.put('a', Buffer.from('x'));
  await bucket.put('b/c', Buffer.from('x'));
  const code = 'STORAGE_INVALID_KEY';
  await expect(bucket.put('a/b', Buffer.from('x'))).rejects.toMatchObject({ code });
  await expect(bucket.put('a/b/c', Buffer.from('x'))).rejects.toMatchObject({ code });
  await expect(bucket.put('b', Buffer.from('x'))).rejects.toMatchObject({ code });
  expect(await bucket.head('a/b')).toBeUndefined();
  expect(await keys()).toEqual(['a', 'b/c']);
  expect(readdirSync(root).sort()).toEqual(['a', 'b']);
});

test('a file written in place is detected, before and while it is read', async () => {
  const path = join(root, 'torn');
  const { version } = await bucket.put('torn', Buffer.alloc(600_000, 'a'), {
    metadata: { sha256: 'of the a' },
  });
  const { body } = await bucket.get('torn');
  const reading = (async () => {
    for await (const _ of body) appendFileSync(path, 'b');
  })();
  await expect(reading).rejects.toMatchObject({ code: 'STORAGE_CONFLICT', retryable: true });
  await expect(bucket.get('torn', { version })).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
  // The stored metadata is ignored, because it belongs to the previous content of the file.
  expect((await bucket.head('torn'))?.metadata).toEqual({});
  const truncated = await bucket.get('torn');
  writeFileSync(path, 'short');
  await expect(drain(truncated.body)).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' });
});

test('quick changes of the same size have different versions', async () => {
  const versions = new Set<string>();
  for (let i = 0; i < 100; i += 1) versions.add((await bucket.put('k', Buffer.from(`${i % 10}`))).version);
  expect(versions.size).toBe(100);
});

test('a full disk and a missing permission are distinguished', () => {
  const codeOf = (code: string) =>
    toStorageError(Object.assign(new Error('x'), { code }), 'file:///x', 'write', 'k');
  expect(codeOf('ENOSPC')).toMatchObject({ code: 'STORAGE_QUOTA_EXCEEDED', retryable: true });
  expect(codeOf('EROFS')).toMatchObject({ code: 'STORAGE_ACCESS_DENIED' });
  expect(codeOf('EIO')).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from('x');
  throw new Error('no');
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
