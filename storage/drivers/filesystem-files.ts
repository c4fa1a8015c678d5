import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import type { ObjectInfo, Version } from '../bucket';
import { reservedNames } from '../check-key';

const [tempMark, metadataMark] = reservedNames;

/** Whether a file is not an object but belongs to the driver itself. */
export function isHidden(name: string): boolean {
  return reservedNames.some((mark) => name.startsWith(mark));
}

export function isTemp(name: string): boolean {
  return name.startsWith(tempMark);
}

/**
 * Returns the version of a file, which changes with its content: writing in place changes the time or the size,
 * replacing the file changes the inode.
 */
export function versionOf(stat: BigIntStats): Version {
  return `${stat.mtimeNs}-${stat.size}-${stat.ino}` as Version;
}

export function infoOf(key: string, stat: BigIntStats): ObjectInfo {
  return { key, size: Number(stat.size), modified: new Date(Number(stat.mtimeMs)), version: versionOf(stat) };
}

/**
 * Returns the stats of the regular file at a path, or undefined if there is nothing or something else, such as a link,
 * a folder or a pipe.
 */
export async function lstatFile(path: string): Promise<BigIntStats | undefined> {
  const stat = await lstatAny(path);
  return stat?.isFile() === true ? stat : undefined;
}

/** Returns the stats of whatever is at a path; undefined if nothing is. */
export async function lstatAny(path: string): Promise<BigIntStats | undefined> {
  return orAbsent(lstat(path, { bigint: true }));
}

/** Returns the promise's value, or undefined if the promise fails because the file or folder does not exist. */
export async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (absentCodes.has(errno(error))) return undefined;
    throw error;
  }
}

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** Returns the code of a system error, such as `ENOENT`, or an empty string for other errors. */
export function errno(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

// Two versions of the same size could look alike, because the kernel's file times advance only every few milliseconds
// and inodes are reused at once. So this counter is added to the modification time, as microseconds.
let stamps = randomBytes(2).readUInt16LE() % 1000;

/** Gives a finished file a unique modification time, makes the file durable, and returns its stats. */
export async function seal(handle: FileHandle): Promise<BigIntStats> {
  const { mtimeNs } = await handle.stat({ bigint: true });
  stamps = (stamps + 1) % 1000;
  const seconds = Number(mtimeNs / 1_000_000n) / 1e3 + stamps / 1e6;
  await handle.utimes(seconds, seconds);
  await handle.sync();
  return handle.stat({ bigint: true });
}

/**
 * Creates a folder and a temporary file in it. Tries again if a concurrent delete removes the empty folder in between.
 * Syncs the parents of new folders, so that the folders survive a crash.
 */
export async function createTemp(
  root: string,
  folder: string,
): Promise<{ path: string; handle: FileHandle }> {
  const path = join(folder, `${tempMark}${process.pid}-${randomBytes(8).toString('hex')}`);
  for (let tries = 1; ; tries += 1) {
    try {
      const firstMade = await mkdir(folder, { recursive: true });
      if (firstMade !== undefined) await syncFolders(folder, dirname(firstMade));
      return { path, handle: await open(path, 'wx') };
    } catch (error) {
      if (errno(error) !== 'ENOENT' || tries === 10) throw error;
      await lstat(root);
    }
  }
}

async function syncFolders(from: string, to: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === to) return;
  }
}

/** Syncs a folder, so that changes to its entries survive a crash. Does nothing if the folder does not exist. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await orAbsent(open(folder, 'r'));
  if (handle === undefined) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file if it exists. */
export async function removeFile(path: string): Promise<void> {
  await orAbsent(unlink(path));
}

/** Removes a folder if it is empty, then each parent that this leaves empty. Does not remove the root. */
export async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      // If the folder no longer exists, its parent may still be empty. Any other error ends the loop; usually it means
      // that the folder is not empty.
      if (errno(error) !== 'ENOENT') return;
    }
  }
}

/**
 * Returns the path of the metadata of an object. It is stored next to the object, in a file named after the object's
 * version rather than its name. So concurrent writers of a key never overwrite each other's metadata, and metadata of a
 * version that no longer exists is never read.
 */
export function metadataPath(folder: string, version: Version): string {
  return join(folder, `${metadataMark}${version}.json`);
}

export async function writeMetadata(
  folder: string,
  version: Version,
  metadata: Record<string, string>,
): Promise<void> {
  await writeFile(metadataPath(folder, version), JSON.stringify(metadata), { flush: true });
}

export async function readMetadata(
  folder: string,
  version: Version,
): Promise<Record<string, string> | undefined> {
  const text = await orAbsent(readFile(metadataPath(folder, version), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>);
}

const codes: Record<string, ErrorCode> = {
  ENOENT: 'STORAGE_NOT_FOUND',
  EACCES: 'STORAGE_ACCESS_DENIED',
  EPERM: 'STORAGE_ACCESS_DENIED',
  EROFS: 'STORAGE_ACCESS_DENIED',
  EMFILE: 'STORAGE_THROTTLED',
  ENFILE: 'STORAGE_THROTTLED',
  ENOSPC: 'STORAGE_QUOTA_EXCEEDED',
  EDQUOT: 'STORAGE_QUOTA_EXCEEDED',
  EFBIG: 'STORAGE_TOO_LARGE',
  ENAMETOOLONG: 'STORAGE_INVALID_KEY',
  EINVAL: 'STORAGE_INVALID_KEY',
  // The key needs a folder where an object is, or an object where a folder is.
  ENOTDIR: 'STORAGE_INVALID_KEY',
  EISDIR: 'STORAGE_INVALID_KEY',
  EEXIST: 'STORAGE_INVALID_KEY',
};

/**
 * Maps a file system error to a catalogued error, or to STORAGE_UNAVAILABLE if its code is unknown. Returns other
 * errors unchanged.
 */
export function toStorageError(error: unknown, label: string, verb: string, key: string): unknown {
  const code = errno(error);
  if (error instanceof FederationError || code === '') return error;
  const clash = ['ENOTDIR', 'EISDIR', 'EEXIST'].includes(code);
  const why = clash ? 'an object and a folder would have the same name' : code;
  return new FederationError(codes[code] ?? 'STORAGE_UNAVAILABLE', {
    subject: { key },
    detail: `Could not ${verb} in ${label}: ${why}.`,
    cause: error,
  });
}
