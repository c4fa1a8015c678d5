import { z } from 'zod';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { openBucketFromFile } from '../../storage/open-bucket';
import { readAll, readJson, writeJson } from '../../storage/read-all';
import { readOnly } from '../../storage/read-only';
import { withPrefix } from '../../storage/with-prefix';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

  test('neither shows nor reaches what lies outside', async () => {
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

test('a bucket for reading reads, and refuses every write', async () => {
  await bucket.put('ro', Buffer.from('x'));
  const reader = readOnly(bucket);
  expect((await readAll(reader, 'ro')).bytes.toString()).toBe('x');
  const code = 'STORAGE_READ_ONLY';
  await expect(reader.put('ro', Buffer.from('y'))).rejects.toMatchObject({ code });
  await expect(reader.create('new', Buffer.from('y'))).rejects.toMatchObject({ code });
  await expect(reader.copy('ro', 'new')).rejects.toMatchObject({ code });
  await expect(reader.delete('ro')).rejects.toMatchObject({ code });
});

describe('reading whole', () => {
  const schema = z.object({ n: z.number() });

  test('has a limit', async () => {
    await bucket.put('big', Buffer.alloc(1001));
    expect((await readAll(bucket, 'big', { maxBytes: 1001 })).bytes).toHaveLength(1001);
    await expect(readAll(bucket, 'big', { maxBytes: 1000 })).rejects.toMatchObject({
      code: 'STORAGE_TOO_LARGE',
    });
  });

  test('JSON comes back as it was written, and is absent where it is', async () => {
    await writeJson(bucket, 'json', { n: 1, more: true });
    expect(await readJson(bucket, 'json', schema)).toEqual({ n: 1 });
    expect(await readJson(bucket, 'none', schema)).toBeUndefined();
  });

  test.each(['{"n": "secret"}', 'secret', ''])('%j is not what was written', async (text) => {
    await bucket.put('json', Buffer.from(text));
    const reading = readJson(bucket, 'json', schema);
    await expect(reading).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', retryable: false });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining('secret') as string });
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
