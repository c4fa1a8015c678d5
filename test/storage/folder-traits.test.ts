import { link, lstat, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limitsOf } from '../../operator/file-system-limits';
import { traitsOf } from '../../storage/folder-traits';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-traits-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let inodes = 0;
const real = { link, lstat, statfs };

it('finds what the file system of a folder offers, and leaves nothing behind', async () => {
  expect(await traitsOf(folder)).toEqual({ hasHardLinks: true, keepsInodes: true });
  expect(await readdir(folder)).toEqual([]);
  expect(limitsOf({ hasHardLinks: true, keepsInodes: true }, 'bucket')).toEqual([]);
});

it('is silent about a folder that it cannot write to', async () => {
  expect(await traitsOf(join(folder, 'missing'))).toBeUndefined();
});

const systems: Record<string, [Partial<typeof real>, object]> = {
  'without hard links': [
    { link: () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' })) },
    { hasHardLinks: false, keepsInodes: true },
  ],
  'whose inode numbers move': [
    {
      lstat: (async (path: string) => {
        const stats = await lstat(path);
        stats.ino = ++inodes;
        return stats;
      }) as typeof lstat,
    },
    { hasHardLinks: true, keepsInodes: false },
  ],
  'that is known to forget inode numbers': [
    {
      statfs: (async (path: string) => Object.assign(await statfs(path), { type: 0x4d44 })) as typeof statfs,
    },
    { hasHardLinks: true, keepsInodes: false },
  ],
};

it.each(Object.keys(systems))('recognizes a file system %s, and says what that means', async (name) => {
  const [changes, expected] = systems[name] ?? [];
  const traits = await traitsOf(folder, { ...real, ...changes });
  expect(traits).toEqual(expected);
  for (const use of ['local ETL', 'bucket'] as const)
    expect(limitsOf(traits ?? { hasHardLinks: true, keepsInodes: true }, use)).toEqual([
      { detail: expect.stringMatching(/hard links|inode numbers/), todo: expect.any(String) },
    ]);
  expect(await readdir(folder)).toEqual([]);
});
