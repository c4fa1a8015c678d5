import { randomBytes } from 'node:crypto';
import { appendFile, link, lstat, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Optional features of a folder's file system. */
export interface FolderTraits {
  readonly hasHardLinks: boolean;
  /** Whether a file keeps its inode number when it is written or renamed. */
  readonly keepsInodes: boolean;
  /** Whether names that differ only in upper and lower case name different files. */
  readonly tellsCase: boolean;
}

/** Types, as reported by `statfs`, of the file systems that do not keep inode numbers: FAT and exFAT. */
const forgetful: readonly number[] = [0x4d44, 0x2011bab0];

/**
 * Finds out which features the file system of a folder has, by means of a temporary file. Returns undefined if this
 * process cannot write there. Tests pass a `system` that behaves like another file system.
 */
export async function traitsOf(
  folder: string,
  system = { link, lstat, statfs },
): Promise<FolderTraits | undefined> {
  const file = join(folder, `.tmp-${process.pid}-${randomBytes(6).toString('hex')}`);
  const other = `${file}-other`;
  const inodes = new Set<number>();
  const note = async (path: string) => inodes.add((await system.lstat(path)).ino);
  try {
    await writeFile(file, 'x', { flag: 'wx' });
    await note(file);
    const tellsCase = await system.lstat(join(folder, basename(file).toUpperCase())).then(
      () => false,
      () => true,
    );
    const hasHardLinks = await system.link(file, other).then(
      () => true,
      () => false,
    );
    await rename(file, other);
    await note(other);
    await appendFile(other, 'x');
    await note(other);
    const { type } = await system.statfs(folder);
    return { hasHardLinks, keepsInodes: inodes.size === 1 && !forgetful.includes(type), tellsCase };
  } catch {
    return undefined;
  } finally {
    for (const path of [file, other]) await rm(path, { force: true }).catch(() => undefined);
  }
}
