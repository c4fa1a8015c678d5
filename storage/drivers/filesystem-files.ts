import { randomBytes } from 'node:crypto';
import { type BigIntStats, lstatSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { ownValue } from '../../etl/own-value';
import type { ObjectInfo, Version } from '../bucket';
import { reservedNames } from '../check-key';
import { makeFolder } from '../make-folder';

const [tempMark, metadataMark] = reservedNames;

/** Returns true if a file belongs to the driver itself and is not an object. */
export function isHidden(name: string): boolean {
  return reservedNames.some((mark) => name.startsWith(mark));
}

export function isTemp(name: string): boolean {
  return name.startsWith(tempMark);
}

/**
 * Returns the version of a file, which changes whenever its content changes. Writing in place changes the modification
 * time or the size. Replacing the file changes the inode number.
 */
export function versionOf(stat: BigIntStats): Version {
  return `${stat.mtimeNs}-${stat.size}-${stat.ino}` as Version;
}

export function infoOf(key: string, stat: BigIntStats): ObjectInfo {
  return { key, size: Number(stat.size), modified: new Date(Number(stat.mtimeMs)), version: versionOf(stat) };
}

/**
 * Returns the stats of the regular file at a path. Returns undefined if nothing is there, or something else, such as a
 * link, a folder or a pipe.
 */
export async function lstatFile(path: string): Promise<BigIntStats | undefined> {
  const stat = await lstatAny(path);
  return stat?.isFile() === true ? stat : undefined;
}

/**
 * Returns the stats of the file, folder or link at a path, or undefined if the path does not exist. Does not follow a
 * link.
 */
export async function lstatAny(path: string): Promise<BigIntStats | undefined> {
  return orAbsent(lstat(path, { bigint: true }));
}

/**
 * Waits for a file system call and returns its result. Returns undefined if the file or folder does not exist, or if
 * the path is a link that the call must not follow.
 */
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

// Without this counter, two versions of a file with the same size could get the same modification time and inode
// number: file times advance only every few milliseconds, and inode numbers are reused at once. `seal` adds the counter
// to the modification time, as microseconds.
let stamps = randomBytes(2).readUInt16LE() % 1000;

/** Finishes a new file: gives it a unique modification time, syncs it to disk, and returns its stats. */
export async function seal(handle: FileHandle): Promise<BigIntStats> {
  const { mtimeNs } = await handle.stat({ bigint: true });
  stamps = (stamps + 1) % 1000;
  const seconds = Number(mtimeNs / 1_000_000n) / 1e3 + stamps / 1e6;
  await handle.utimes(seconds, seconds);
  await handle.sync();
  return handle.stat({ bigint: true });
}

/**
 * Creates a temporary file, and its folder if necessary. Tries again if a concurrent delete removes the new folder
 * because it is still empty. Syncs the parents of new folders, so that the folders survive a crash.
 */
export async function createTemp(
  root: string,
  folder: string,
): Promise<{ path: string; handle: FileHandle }> {
  const path = join(folder, `${tempMark}${process.pid}-${randomBytes(8).toString('hex')}`);
  for (let tries = 1; ; tries += 1) {
    try {
      const firstMade = await makeFolder(folder);
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

/** Removes a folder if it is empty, then its parent if that has become empty, and so on. Never removes the root. */
export async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Continue after ENOENT: the folder is already gone, and its parent may be empty too. Any other error ends the
      // loop. It usually means that the folder is not empty.
      if (errno(error) !== 'ENOENT') return;
    }
  }
}

/**
 * Returns the path of the file that contains an object's metadata. The file is in the object's folder. Its name is
 * derived from the object's version, not from its key. So concurrent writers of a key never overwrite each other's
 * metadata, and metadata of an old version is never read.
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

const unreadableCodes = new Set(['EACCES', 'EPERM', 'EISDIR', 'EIO']);
const metadataSchema = z.record(z.string(), z.string());

/**
 * Reads the metadata of an object. Returns undefined if there is none. A metadata file that is damaged or unreadable
 * counts as empty, so that only its own object is affected. The next push writes the object and its metadata again.
 */
export async function readMetadata(
  folder: string,
  version: Version,
  warn: (message: string) => void,
): Promise<Record<string, string> | undefined> {
  const path = metadataPath(folder, version);
  try {
    const text = await orAbsent(readFile(path, 'utf8'));
    return text === undefined ? undefined : metadataSchema.parse(JSON.parse(text));
  } catch (error) {
    const code = errno(error);
    if (code !== '' && !unreadableCodes.has(code)) throw error;
    warn(`${path} is ignored: ${code === '' ? 'it is damaged' : `it cannot be read (${code})`}.`);
    return {};
  }
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
  // These codes mean that the key needs a folder where an object exists, or an object where a folder exists.
  ENOTDIR: 'STORAGE_INVALID_KEY',
  EISDIR: 'STORAGE_INVALID_KEY',
  EEXIST: 'STORAGE_INVALID_KEY',
};

const user = `user ${process.geteuid?.() ?? 'unknown'}`;
const reasons: Readonly<Record<string, string>> = {
  EACCES: `${user} lacks the permission (EACCES)`,
  EPERM: `${user} lacks the permission (EPERM)`,
  EROFS: 'its volume is mounted read-only (EROFS)',
};
const needsPermission = `Let ${user} read and write the folder and everything in it.`;
const hints: Readonly<Record<string, string>> = {
  EACCES: needsPermission,
  EPERM: needsPermission,
  EROFS: 'Mount the volume writable, unless only a primary uses it.',
};

/**
 * Converts a file system error to a FederationError. Uses STORAGE_UNAVAILABLE for system codes that are not in `codes`.
 * Returns an error without a system code unchanged.
 */
export function toStorageError(error: unknown, label: string, verb: string, key: string): unknown {
  const code = errno(error);
  if (error instanceof FederationError || code === '') return error;
  const clash = ['ENOTDIR', 'EISDIR', 'EEXIST'].includes(code);
  const blocked = clash ? whatBlocks(fileURLToPath(label), key) : undefined;
  const clashing = blocked?.why ?? 'an object and a folder would have the same name';
  const why = clash ? clashing : (ownValue(reasons, code) ?? code);
  return new FederationError(ownValue(codes, code) ?? 'STORAGE_UNAVAILABLE', {
    subject: { key },
    detail: `Could not ${verb} in ${label}: ${why}.`,
    hint:
      blocked === undefined
        ? ownValue(hints, code)
        : `Move or remove ${blocked.path}, unless another program needs it.`,
    cause: error,
  });
}

/**
 * Finds what is in the way of an object below `root`: a file in the place of a folder, or a folder in its own place.
 */
function whatBlocks(root: string, key: string): { path: string; why: string } | undefined {
  const parts = key.split('/').filter((part) => part !== '');
  for (const at of parts.keys()) {
    const path = join(root, ...parts.slice(0, at + 1));
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (isFolder === undefined) return undefined;
    const isObject = at === parts.length - 1;
    if (isFolder === isObject)
      return {
        path,
        why: `${path} is ${isFolder ? 'a folder' : 'not a folder'}, but has to be ${isFolder ? 'a file' : 'one'}`,
      };
  }
  return undefined;
}
