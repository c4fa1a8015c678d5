import { link, lstat, rename } from 'node:fs/promises';
import { allowed, ifThere, refusalOf, systemCode } from './store';
import { hasNoLinks, removeFile, removeQuickly } from './write';

/** Size and modification time of a file, at a time when a copy of its content was known to be saved elsewhere. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Replaces the file at `path` with the file `written`, if the file at `path` still has the size and time in `stamp`. If
 * `stamp` is undefined, there must still be no file at `path`. Otherwise replaces nothing and returns false.
 *
 * A cost-model that opened the old file just before the replacement may still write to it. To detect such a write, a
 * second hard link keeps the old file. If the old file changes, the replacement is undone. On file systems without hard
 * links, the file is only checked before the replacement.
 *
 * The replacement is durable once the caller has synced the folder. Until then, a power failure leaves either the
 * whole old file or the whole new file.
 */
export async function replaceIfSame(
  written: string,
  path: string,
  stamp: Stamp | undefined,
): Promise<boolean> {
  const held = `${written}-old`;
  try {
    const holding = await holdOn(path, held);
    const before = await ifThere(lstat(path));
    if (!same(before, stamp)) return false;
    await allowed(path, rename(written, path));
    if (!holding) return true;
    if (same(await lstat(held), stamp)) return true;
    await rename(held, path);
    return false;
  } finally {
    await removeQuickly(held);
    await removeQuickly(written);
  }
}

/** Removes the file at `path` if it still has the size and time in `stamp`. Otherwise returns false. */
export async function removeIfSame(path: string, stamp: Stamp | undefined): Promise<boolean> {
  const isSame = same(await ifThere(lstat(path)), stamp);
  if (isSame) await removeFile(path);
  return isSame;
}

function same(found: Stamp | undefined, stamp: Stamp | undefined): boolean {
  return found?.size === stamp?.size && found?.mtimeMs === stamp?.mtimeMs;
}

async function holdOn(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || hasNoLinks(error)) return false;
    throw refusalOf(path, error);
  }
}
