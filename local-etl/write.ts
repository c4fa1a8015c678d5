import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, opendir, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { allowed, ifThere, type LocalEtl, systemCode } from './store';

const temporary = '.tmp-';
const strayAfterMs = 60 * 60_000;

/**
 * Creates or replaces a file atomically and durably: readers find either the old or the new content, even after a power
 * failure.
 */
export async function writeAtomically(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const written = await writeTemporary(path, body);
  await moveInto(written, path);
}

/**
 * Like `writeAtomically`, but does not wait for the disk: for files that may be lost but must never be read
 * half-written.
 */
export async function writeQuickly(path: string, body: Uint8Array): Promise<void> {
  const written = join(dirname(path), temporaryName());
  const write = () => writeFile(written, body);
  try {
    await allowed(path, inFolder(dirname(path), write));
    await rename(written, path);
  } catch (error) {
    await removeQuickly(written);
    throw error;
  }
}

/** Creates a file atomically with its whole content. Returns false if the file already exists. */
export async function createOnce(path: string, body: Uint8Array): Promise<boolean> {
  const written = await writeTemporary(path, body);
  try {
    await link(written, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await removeQuickly(written);
  }
}

/**
 * Writes a temporary file next to `path`, syncs it, and returns its path. The caller must call `moveInto` or remove the
 * file.
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
    // The file must be readable by the cost-model, which may run as another user.
    await using handle = await inFolder(dirname(written), () => open(written, 'wx', 0o644));
    if (body instanceof Uint8Array) await handle.writeFile(body);
    else for await (const chunk of body) await handle.write(chunk);
    await handle.sync();
    return written;
  } catch (error) {
    await removeQuickly(written);
    throw error;
  }
}

/**
 * Runs `make`. If it fails because the folder is missing, creates the folder and runs `make` again. Checking first
 * would nearly always be wasted, since the folder nearly always exists.
 */
export async function inFolder<T>(folder: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true });
    return make();
  }
}

/** Moves a temporary file into place and makes the rename durable. */
export async function moveInto(written: string, path: string): Promise<void> {
  try {
    await rename(written, path);
  } catch (error) {
    await removeQuickly(written);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes a file durably; does nothing if it is already gone. */
export async function removeFile(path: string): Promise<void> {
  await ifThere(unlink(path));
  await ifThere(syncFolder(dirname(path)));
}

/** Like `removeFile`, but does not wait for the disk: a power failure may bring the file back. */
export async function removeQuickly(path: string): Promise<void> {
  await ifThere(unlink(path));
}

/** Removes temporary files that a killed process left among the windows and in the state folder. */
export async function sweepTemporary(store: LocalEtl): Promise<void> {
  for (const folder of [store.bingen, store.state]) {
    const directory = await ifThere(opendir(folder, { recursive: true }));
    if (directory === undefined) continue;
    for await (const entry of directory) {
      if (!entry.name.startsWith(temporary) || !entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const stats = await ifThere(lstat(path));
      if (stats !== undefined && Date.now() - stats.mtimeMs > strayAfterMs) await removeQuickly(path);
    }
  }
}

function temporaryName(): string {
  return `${temporary}${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Makes the entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  // Some network file systems cannot sync a folder, but there the rename is already durable.
  await handle.sync().catch((error: unknown) => {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') throw error;
  });
}
