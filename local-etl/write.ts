import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, opendir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { allowed, ifThere, type LocalEtl, systemCode } from './store';

const temporary = '.tmp-';
const strayAfterMs = 60 * 60_000;

/** Replaces or creates a file: whoever reads it, and whenever the power fails, it is the old one or the new one. */
export async function writeAtomically(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const written = await writeTemporary(path, body);
  await moveInto(written, path);
}

/** The same without waiting for the disk: for what may be lost, but never be read half. */
export async function writeQuickly(path: string, body: Uint8Array): Promise<void> {
  const written = join(dirname(path), temporaryName());
  await allowed(path, mkdir(dirname(path), { recursive: true }));
  try {
    await allowed(path, writeFile(written, body));
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

/** Creates a file with its whole content if there is none; false when there is one already. */
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
    await rm(written, { force: true });
  }
}

/** Writes next to where it shall go, on disk for good; `moveInto` or the caller's `rm` is the next step. */
export async function writeTemporary(
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<string> {
  const written = join(dirname(path), temporaryName());
  return allowed(path, writeAt(written, body));
}

async function writeAt(written: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  await mkdir(dirname(written), { recursive: true });
  try {
    // Readable for the cost-model, which may run as another user.
    await using handle = await open(written, 'wx', 0o644);
    if (body instanceof Uint8Array) await handle.writeFile(body);
    else for await (const chunk of body) await handle.write(chunk);
    await handle.sync();
    return written;
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
}

/** Puts a temporary file in its place. */
export async function moveInto(written: string, path: string): Promise<void> {
  try {
    await rename(written, path);
  } catch (error) {
    await rm(written, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Removes a file for good; that it is gone already is fine. */
export async function removeFile(path: string): Promise<void> {
  await ifThere(unlink(path));
  await ifThere(syncFolder(dirname(path)));
}

/** Removes temporary files that a killed process left in the window folders. */
export async function sweepTemporary(store: LocalEtl): Promise<void> {
  const directory = await ifThere(opendir(store.bingen, { recursive: true }));
  if (directory === undefined) return;
  for await (const entry of directory) {
    if (!entry.name.startsWith(temporary) || !entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const stats = await ifThere(lstat(path));
    if (stats !== undefined && Date.now() - stats.mtimeMs > strayAfterMs) await rm(path, { force: true });
  }
}

function temporaryName(): string {
  return `${temporary}${process.pid}-${randomBytes(6).toString('hex')}`;
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  // Some network file systems cannot sync a folder; they have the rename already.
  await handle.sync().catch((error: unknown) => {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'ENOTSUP') throw error;
  });
}
