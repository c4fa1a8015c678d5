import { type FileHandle, link, open, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FederationError } from '../../errors/federation-error';
import type { ObjectInfo } from '../bucket';
import { alreadyThere } from '../store-failure';
import * as files from './filesystem-files';

/**
 * Location of an object: its key, the bucket's root folder, the path of the object's file, and the folder that contains
 * the file. `root` must not contain symbolic links.
 */
export interface Place {
  readonly key: string;
  readonly root: string;
  readonly folder: string;
  readonly path: string;
}

export function placeOf(root: string, key: string): Place {
  const path = join(root, key);
  return { key, root, path, folder: dirname(path) };
}

/** Moves a finished temporary file to the path of its object. */
export type Landing = (temp: string, place: Place) => Promise<void>;

/**
 * Writes an object. `fill` writes the content to a temporary file, which is then synced to disk. The metadata is
 * written to a separate file. Then `landing` moves the temporary file into place atomically. If anything fails, the
 * previous object stays unchanged, and the new files are removed.
 */
export async function land(
  place: Place,
  fill: (handle: FileHandle, temp: string) => Promise<void>,
  metadata: Readonly<Record<string, string>>,
  landing: Landing,
): Promise<ObjectInfo> {
  await refuseLinks(place);
  const { handle, path: temp } = await files.createTemp(place.root, place.folder);
  const leftovers = [temp];
  try {
    await fill(handle, temp);
    const stat = await files.seal(handle);
    const version = files.versionOf(stat);
    if (Object.keys(metadata).length > 0) {
      leftovers.push(files.metadataPath(place.folder, version));
      await files.writeMetadata(place.folder, version, metadata);
    }
    await landing(temp, place);
    await files.syncFolder(place.folder);
    return files.infoOf(place.key, stat);
  } catch (error) {
    for (const path of leftovers) await files.removeFile(path);
    await files.removeEmptyFolders(place.root, place.folder);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Moves the temporary file into place, replacing the existing file, if any. */
export async function replace(temp: string, place: Place): Promise<void> {
  const before = await files.lstatFile(place.path);
  await rename(temp, place.path);
  if (before !== undefined) await files.removeFile(files.metadataPath(place.folder, files.versionOf(before)));
}

/**
 * Moves the temporary file into place, but throws STORAGE_PRECONDITION_FAILED if a file exists there. Uses a hard link:
 * creating it is atomic, so only one of several concurrent callers succeeds.
 */
export async function createByLink(temp: string, place: Place): Promise<void> {
  try {
    await link(temp, place.path);
  } catch (error) {
    throw files.errno(error) === 'EEXIST' ? alreadyThere(place.key) : error;
  }
  await files.removeFile(temp);
}

/** Returns true if creating a hard link failed because the file system does not support hard links. */
export function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(files.errno(error));
}

const lockAgeMs = 60_000;
const lockWaitMs = 5_000;

/**
 * Creates an object on a file system without hard links. A lock file ensures that only one `create` of a key runs at a
 * time. If a process was killed while it held the lock, another process removes the lock after a minute. A `put` does
 * not take the lock, so `create` may replace an object that a concurrent `put` has just written.
 */
export async function createUnderLock(temp: string, place: Place): Promise<void> {
  const lock = join(place.folder, `.tmp-lock-${basename(place.path)}`);
  const handle = await openLock(lock, place);
  try {
    if ((await files.lstatAny(place.path)) !== undefined) throw alreadyThere(place.key);
    await rename(temp, place.path);
  } finally {
    await handle.close();
    await files.removeFile(lock);
  }
}

async function openLock(lock: string, place: Place): Promise<FileHandle> {
  for (const start = Date.now(); ;) {
    try {
      return await open(lock, 'wx');
    } catch (error) {
      if (files.errno(error) !== 'EEXIST') throw error;
    }
    const stat = await files.lstatFile(lock);
    if (stat !== undefined && Date.now() - Number(stat.mtimeMs) > lockAgeMs) await files.removeFile(lock);
    if (Date.now() - start > lockWaitMs) {
      throw new FederationError('STORAGE_CONFLICT', {
        subject: { key: place.key },
        detail: 'Another writer has held the lock of this key for too long.',
      });
    }
    await sleep(5 + Math.random() * 15);
  }
}

/**
 * Throws STORAGE_ACCESS_DENIED if one of the key's folders is a symbolic link. The link could lead out of the root, so
 * nothing may be written through it.
 */
async function refuseLinks(place: Place): Promise<void> {
  for (let folder = place.folder; folder !== place.root; folder = dirname(folder)) {
    const real = await files.orAbsent(realpath(folder));
    if (real === folder) return;
    if (real !== undefined) {
      throw new FederationError('STORAGE_ACCESS_DENIED', {
        subject: { key: place.key },
        detail: 'A folder of this key is a symbolic link; nothing is written through it.',
        hint: 'Replace the link with a real folder, or set `directory` to its target.',
      });
    }
  }
}
