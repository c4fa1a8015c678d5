import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, lstat, open, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipelines } from '../etl/window';
import { makeFolder } from '../storage/make-folder';
import { allowed, ifThere, type LocalEtl, refusalOf, systemCode } from './store';

const temporary = '.tmp-';
const strayAfterMs = 60 * 60_000;

/**
 * Creates or replaces a file atomically and durably. Even after a power failure, readers find either the whole old
 * content or the whole new content.
 */
export async function writeAtomically(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const written = await writeTemporary(path, body);
  await moveInto(written, path);
}

/**
 * Like `writeAtomically`, but does not wait for the disk. Use this for files that may be lost but must never be
 * half-written.
 */
export async function writeQuickly(path: string, body: Uint8Array): Promise<void> {
  const written = join(dirname(path), temporaryName());
  const write = () => writeFile(written, body);
  try {
    await allowed(path, inFolder(dirname(path), write));
    await allowed(path, rename(written, path));
  } catch (error) {
    await discard(written);
    throw error;
  }
}

/**
 * Creates a file atomically with its whole content. Returns false if a file already exists at the path. Tests pass a
 * `linkFile` that fails as on a file system without hard links.
 */
export async function createOnce(path: string, body: Uint8Array, linkFile = link): Promise<boolean> {
  const written = await writeTemporary(path, body);
  try {
    await linkFile(written, path).catch(async (error: unknown) => {
      if (!hasNoLinks(error)) throw error;
      // Other processes may see the copy while it is incomplete. This is acceptable: it takes only a moment, and
      // happens once per volume.
      await copyFile(written, path, constants.COPYFILE_EXCL);
    });
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw refusalOf(path, error);
  } finally {
    await discard(written);
  }
}

/** Returns true if creating a hard link failed because the file system does not support hard links. */
export function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '');
}

/**
 * Writes a temporary file next to `path`, syncs it to disk, and returns its path. The caller must move the file into
 * place with `moveInto`, or remove it.
 */
export async function writeTemporary(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<string> {
  const written = join(dirname(path), temporaryName());
  return allowed(path, writeAt(written, body));
}

async function writeAt(written: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  try {
    // Mode 0644, because the cost-model must be able to read the file, and it may run as another user.
    await using handle = await inFolder(dirname(written), () => open(written, 'wx', 0o644));
    // Unlike `write`, `writeFile` continues after a partial write, which a nearly full disk causes.
    await handle.writeFile(body);
    await handle.sync();
    return written;
  } catch (error) {
    await discard(written);
    throw error;
  }
}

/**
 * Runs `make`. If the folder is missing, creates it and runs `make` again. Does not check first whether the folder
 * exists, because it nearly always does.
 */
export async function inFolder<T>(folder: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await makeFolder(folder);
    return make();
  }
}

/** Moves a temporary file into place and syncs the folder, so that the move survives a crash. */
export async function moveInto(written: string, path: string): Promise<void> {
  try {
    await allowed(path, rename(written, path));
  } catch (error) {
    await discard(written);
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Removes a file and syncs its folder, so that the removal survives a crash. Does nothing if the file does not exist.
 */
export async function removeFile(path: string): Promise<void> {
  await allowed(path, ifThere(unlink(path)));
  await ifThere(syncFolder(dirname(path)));
}

/** Like `removeFile`, but does not wait for the disk: a power failure may bring the file back. */
export async function removeQuickly(path: string): Promise<void> {
  await allowed(path, ifThere(unlink(path)));
}

/**
 * Removes a temporary file after a failure. If this fails too, ignores the error, because the first error is more
 * useful.
 */
async function discard(written: string): Promise<void> {
  await removeQuickly(written).catch(() => undefined);
}

/**
 * Removes temporary files older than an hour, which killed processes may have left. Looks only into folders that
 * Federated ETL writes to: the folders of the pipelines, and its own folder. Skips files and folders that cannot be
 * read or removed.
 */
export async function sweepTemporary(store: LocalEtl): Promise<void> {
  if (await isRealFolder(store.bingen))
    for (const pipeline of pipelines) await sweepFolder(join(store.bingen, pipeline));
  await sweepFolder(store.state);
}

async function sweepFolder(folder: string): Promise<void> {
  if (!(await isRealFolder(folder))) return;
  const entries = await unlessRefused(readdir(folder, { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await sweepFolder(path);
    if (!entry.name.startsWith(temporary) || !entry.isFile()) continue;
    const stats = await unlessRefused(lstat(path));
    if (stats !== undefined && Date.now() - stats.mtimeMs > strayAfterMs) await unlessRefused(unlink(path));
  }
}

/** Returns true for a folder, but not for a link to a folder. */
async function isRealFolder(path: string): Promise<boolean> {
  return (await unlessRefused(lstat(path)))?.isDirectory() === true;
}

/** Waits for `work`. Returns undefined if the file or folder is gone, or if the system denies access. */
export async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await ifThere(work);
  } catch (error) {
    if (refusalOf('', error) === error) throw error;
    return undefined;
  }
}

function temporaryName(): string {
  return `${temporary}${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Syncs a folder, so that changes to its entries survive a crash. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  // Some network file systems cannot sync a folder. On these, a rename is durable without it.
  await handle.sync().catch((error: unknown) => {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') throw error;
  });
}
