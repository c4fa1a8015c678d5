import { link, lstat, rename } from 'node:fs/promises';
import { ifThere, systemCode } from './store';
import { removeQuickly } from './write';

/** Size and modification time of a file when its bytes were last known to be safe. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Moves the file `written` to `path` if the file there still matches `stamp` (or, if `stamp` is undefined, if there
 * still is no file). Otherwise replaces nothing and returns false.
 *
 * A cost-model that opened the old file just before the move may still write to it. A second hard link therefore keeps
 * the old file, so that such a write is detected and the move undone. On file systems without hard links, there is only
 * the check before the move.
 *
 * The move is durable once the caller has synced the folder. Until then, a power failure leaves either the old or the
 * new file, whole.
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
    await rename(written, path);
    if (!holding) return true;
    if (same(await lstat(held), stamp)) return true;
    await rename(held, path);
    return false;
  } finally {
    await removeQuickly(held);
    await removeQuickly(written);
  }
}

function same(found: Stamp | undefined, stamp: Stamp | undefined): boolean {
  return found?.size === stamp?.size && found?.mtimeMs === stamp?.mtimeMs;
}

async function holdOn(path: string, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return false;
    throw error;
  }
}
