import { link, lstat, rename } from 'node:fs/promises';
import { ifThere, systemCode } from './store';
import { removeQuickly } from './write';

/** How a file looked when its bytes were last known to be safe. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Puts a written file in the place of one that looked like `stamp` (or of none). False, and nothing is replaced, when
 * somebody wrote there since: a second name holds on to what was replaced until that is sure, also where the
 * cost-model opened the old file just before. File systems without hard links have only the look before. It is durable
 * when the caller has synced the folder; until then a failing power leaves the old one or the new one, whole.
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
