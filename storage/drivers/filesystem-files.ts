import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, open, readFile, rmdir, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import type { ObjectInfo, Version } from '../bucket';
import { reservedNames } from '../check-key';

const [tempMark, metadataMark] = reservedNames;

/** Whether a file is one of the driver's own and no object. */
export function isHidden(name: string): boolean {
  return reservedNames.some((mark) => name.startsWith(mark));
}

export function isTemp(name: string): boolean {
  return name.startsWith(tempMark);
}

/** One state of a file: in-place writes move the time or the size, replacements come with another inode. */
export function versionOf(stat: BigIntStats): Version {
  return `${stat.mtimeNs}-${stat.size}-${stat.ino}` as Version;
}

export function infoOf(key: string, stat: BigIntStats): ObjectInfo {
  return { key, size: Number(stat.size), modified: new Date(Number(stat.mtimeMs)), version: versionOf(stat) };
}

/** The regular file at a path; undefined for nothing, a link, a folder, a pipe. */
export async function lstatFile(path: string): Promise<BigIntStats | undefined> {
  const stat = await lstatAny(path);
  return stat?.isFile() === true ? stat : undefined;
}

/** Whatever is at a path. */
export async function lstatAny(path: string): Promise<BigIntStats | undefined> {
  return orAbsent(lstat(path, { bigint: true }));
}

/** A promise's value, undefined when what it wanted is not there. */
export async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (absentCodes.has(errno(error))) return undefined;
    throw error;
  }
}

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** `ENOENT` and its like; empty for what is no error of the system. */
export function errno(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

// The kernel stamps files with the time of its last tick, several milliseconds apart, and inodes are used again at
// once: two states of one size could look the same. A count in microseconds on top of the store's clock keeps them apart.
let stamps = randomBytes(2).readUInt16LE() % 1000;

/** Gives a finished file its own modification time, makes it durable, and says which version it will be. */
export async function seal(handle: FileHandle): Promise<BigIntStats> {
  const { mtimeNs } = await handle.stat({ bigint: true });
  stamps = (stamps + 1) % 1000;
  const seconds = Number(mtimeNs / 1_000_000n) / 1e3 + stamps / 1e6;
  await handle.utimes(seconds, seconds);
  await handle.sync();
  return handle.stat({ bigint: true });
}

/**
 * Makes the folder and a file in it that nobody knows yet. A delete may take an empty folder away in between: then
 * again. What is made is durable, each new folder in the one above it.
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

/** Makes names in a folder durable. A folder that is gone by now has none. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await orAbsent(open(folder, 'r'));
  if (handle === undefined) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file, if it is there. */
export async function removeFile(path: string): Promise<void> {
  await orAbsent(unlink(path));
}

/** Removes folders that are empty, from the given one up to the root, which stays. */
export async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Gone already: the one above may be empty all the same. Anything else, not empty first of all, ends it.
      if (errno(error) !== 'ENOENT') return;
    }
  }
}

/**
 * Metadata lies beside its object, in a file that is named after the object's version, not its name: so writers that
 * race for one key never write one another's, and one that belongs to no living version is never read.
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
  // Where a key needs a folder lies an object, or the other way round.
  ENOTDIR: 'STORAGE_INVALID_KEY',
  EISDIR: 'STORAGE_INVALID_KEY',
  EEXIST: 'STORAGE_INVALID_KEY',
};

/** The catalogued error for what the file system said; anything unknown is a disk that does not answer well. */
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
