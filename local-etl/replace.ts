import { link, lstat, rename } from 'node:fs/promises';
import { ifThere, systemCode } from './store';
import { removeQuickly } from './write';

/** Size and time of a file when its bytes were last known to be safe. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Moves a written file to `path` if the file there still matches `stamp` (undefined: if there is none). Returns false,
 * and replaces nothing, if it was written since. A second hard link holds on to the old file until that is certain, which
 * also covers a cost-model that opened it just before. File systems without hard links get only the check beforehand.
 * Durable once the caller has synced the folder; until then a power failure leaves either the old or the new file, whole.
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
