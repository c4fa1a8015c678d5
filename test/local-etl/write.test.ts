import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createOnce, writeAtomically } from '../../local-etl/write';
import { type Disk, disks } from '../query/full-disk';

const bytes = 64 * 1024;

/** Streams `count` chunks of 64 KiB. */
async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield await Promise.resolve(new Uint8Array(bytes).fill(i + 1));
}

// The last entry of `disks` limits the size of files. At the limit, the system may write only a part of a chunk.
const [name, openDisk] = disks.at(-1) ?? [];

describe(`writing with ${name}`, () => {
  let disk: Disk;
  let file: string;
  beforeEach(() => {
    disk = openDisk!();
    file = path.join(disk.folder, 'window');
    writeFileSync(file, 'old');
  });
  afterEach(() => disk.dispose());

  test.each([
    ['a streamed body', () => chunks(2)],
    ['bytes', () => new Uint8Array(2 * bytes)],
  ])('keeps the old file if %s fits only in part', async (_, body) => {
    disk.limit(2 * bytes - 1);
    await expect(writeAtomically(file, body())).rejects.toMatchObject({ code: expect.any(String) as string });
    disk.free();
    expect(readdirSync(disk.folder)).toEqual(['window']);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test('replaces the file by a streamed body that fits', async () => {
    disk.limit(2 * bytes);
    await writeAtomically(file, chunks(2));
    expect(readFileSync(file)).toEqual(Buffer.concat([Buffer.alloc(bytes, 1), Buffer.alloc(bytes, 2)]));
  });
});

describe('a file system without hard links', () => {
  const noLinks = () => Promise.reject(Object.assign(new Error('not permitted'), { code: 'EPERM' }));

  test('creates a file once, all the same', async () => {
    const disk = openDisk!();
    try {
      const file = path.join(disk.folder, 'state', 'instance.json');
      expect(await createOnce(file, Buffer.from('first'), noLinks)).toBe(true);
      expect(await createOnce(file, Buffer.from('second'), noLinks)).toBe(false);
      expect(readFileSync(file, 'utf8')).toBe('first');
      expect(readdirSync(path.dirname(file))).toEqual(['instance.json']);
    } finally {
      disk.dispose();
    }
  });
});
