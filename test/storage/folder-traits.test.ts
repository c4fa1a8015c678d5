import { link, lstat, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { limitsOf } from '../../operator/file-system-limits';
import { traitsOf } from '../../storage/folder-traits';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-traits-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let inodes = 0;
const real = { link, lstat, statfs };
const best = { hasHardLinks: true, keepsInodes: true, tellsCase: true };

it('finds what the file system of a folder offers, and leaves nothing behind', async () => {
  expect(await traitsOf(folder)).toEqual(best);
  expect(await readdir(folder)).toEqual([]);
  expect(limitsOf(best, 'bucket')).toEqual([]);
});

it('is silent about a folder that it cannot write to', async () => {
  expect(await traitsOf(join(folder, 'missing'))).toBeUndefined();
});

const systems: Record<string, [Partial<typeof real>, object]> = {
  'without hard links': [
    { link: () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' })) },
    { ...best, hasHardLinks: false },
  ],
  'whose inode numbers move': [
    {
      lstat: (async (path: string) => {
        const stats = await lstat(path);
        stats.ino = ++inodes;
        return stats;
      }) as typeof lstat,
    },
    { ...best, keepsInodes: false },
  ],
  'that does not tell upper from lower case': [
    { lstat: ((path: string) => lstat(join(dirname(path), basename(path).toLowerCase()))) as typeof lstat },
    { ...best, tellsCase: false },
  ],
  'that is known to forget inode numbers': [
    {
      statfs: (async (path: string) => Object.assign(await statfs(path), { type: 0x4d44 })) as typeof statfs,
    },
    { ...best, keepsInodes: false },
  ],
};

it.each(Object.keys(systems))('recognizes a file system %s, and says what that means', async (name) => {
  const [changes, expected] = systems[name] ?? [];
  const traits = await traitsOf(folder, { ...real, ...changes });
  expect(traits).toEqual(expected);
  for (const use of ['local ETL', 'bucket'] as const)
    expect(limitsOf(traits ?? best, use)).toEqual([
      {
        detail: expect.stringMatching(/hard links|inode numbers|upper and lower case/),
        todo: expect.any(String),
      },
    ]);
  expect(await readdir(folder)).toEqual([]);
});
