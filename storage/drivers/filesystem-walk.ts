import type { BigIntStats, Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListEntry, ListOptions } from '../bucket';
import { keyFault } from '../check-key';
import * as files from './filesystem-files';

/** Number of files whose stats are read concurrently. */
const batchSize = 32;
const leftoverAgeMs = 3_600_000;

interface Child {
  /** Key of the file. For a folder, its path below the root, with a slash at the end. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly folder: boolean;
}

/**
 * Lists the objects below a root folder, in byte order of their keys. Holds in memory only the entries of the current
 * folder and of its parents. Skips files and folders that are deleted during the listing. Also skips links, and
 * everything else that is neither a folder nor a regular file.
 */
export async function* walk(
  root: string,
  prefix: string,
  options: ListOptions = {},
): AsyncGenerator<ListEntry> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walkFolder({ root, prefix, ...options }, folder);
}

interface Walk extends ListOptions {
  readonly root: string;
  readonly prefix: string;
}

async function* walkFolder(walk: Walk, folder: string): AsyncGenerator<ListEntry> {
  const children = await childrenOf(walk, folder);
  for (let at = 0; at < children.length; at += batchSize) {
    walk.signal?.throwIfAborted();
    const batch = children.slice(at, at + batchSize);
    const stats = await Promise.all(
      batch.map(async (child) => (child.folder ? undefined : files.lstatFile(join(walk.root, child.name)))),
    );
    for (const [index, child] of batch.entries()) {
      if (child.folder) yield* enterFolder(walk, child);
      else yield* objectOf(child, stats[index]);
    }
  }
}

function* objectOf(child: Child, stat: BigIntStats | undefined): Generator<ListEntry> {
  if (stat !== undefined) yield { kind: 'object', ...files.infoOf(child.name, stat) };
}

async function* enterFolder(walk: Walk, child: Child): AsyncGenerator<ListEntry> {
  if (walk.delimiter === undefined) {
    yield* walkFolder(walk, child.name);
    return;
  }
  // List this folder only if it contains an object. To find out, search it until the first object is found.
  for await (const _ of walkFolder(
    { root: walk.root, prefix: child.name, signal: walk.signal },
    child.name,
  )) {
    yield { kind: 'prefix', prefix: child.name };
    return;
  }
}

/**
 * Returns the entries of a folder, sorted. Omits entries that cannot be part of the listing because of the listing's
 * prefix or its `after` option.
 */
async function childrenOf(walk: Walk, folder: string): Promise<Child[]> {
  const entries = (await files.orAbsent(readdir(join(walk.root, folder), { withFileTypes: true }))) ?? [];
  return entries
    .flatMap((entry) => childOf(folder, entry))
    .filter((child) => isWanted(walk, child))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

function childOf(folder: string, entry: Dirent): Child[] {
  const path = folder + entry.name;
  const isFolder = entry.isDirectory();
  if (keyFault(path) !== undefined || (!isFolder && !entry.isFile())) return [];
  // Append a slash to the name of a folder before sorting, so that the folder sorts exactly like the keys in it. For
  // example, the file `a.b` must come before the folder `a/`.
  const name = isFolder ? `${path}/` : path;
  return [{ name, bytes: Buffer.from(name), folder: isFolder }];
}

function isWanted({ prefix, after, delimiter }: Walk, child: Child): boolean {
  if (!child.name.startsWith(prefix)) return false;
  if (after === undefined) return true;
  if (Buffer.compare(child.bytes, Buffer.from(after)) > 0) return true;
  return child.folder && delimiter === undefined && after.startsWith(child.name);
}

/**
 * Removes files that killed processes left behind: temporary files, and metadata files whose object does not exist.
 * Removes only files that are older than an hour, because a running writer never keeps its files that long.
 */
export async function sweep(root: string, signal: AbortSignal, folder = root): Promise<void> {
  if (signal.aborted) return;
  const entries = (await files.orAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
  const own = entries
    .filter((entry) => entry.isFile() && files.isHidden(entry.name))
    .map((entry) => entry.name);
  const temps = own.filter(files.isTemp);
  const sidecars = own.filter((name) => !files.isTemp(name));
  const objects = entries
    .filter((entry) => entry.isFile() && !files.isHidden(entry.name))
    .map((entry) => entry.name);
  for (const name of temps) await sweepTemp(folder, name);
  // `sweepMetadata` reads the stats of every object, which is slow in a large store. So call it only if there are more
  // metadata files than objects: then some metadata files certainly belong to no object.
  if (sidecars.length > objects.length) await sweepMetadata(folder, objects, sidecars);
  if (own.length > 0 && objects.length === 0) await files.removeEmptyFolders(root, folder);
  for (const entry of entries) if (entry.isDirectory()) await sweep(root, signal, join(folder, entry.name));
}

async function sweepTemp(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  const stat = await files.lstatFile(path);
  if (stat === undefined || !isLeftover(stat)) return;
  await files.removeFile(files.metadataPath(folder, files.versionOf(stat)));
  await files.removeFile(path);
}

async function sweepMetadata(folder: string, objects: string[], sidecars: string[]): Promise<void> {
  const stats = await Promise.all(objects.map((name) => files.lstatFile(join(folder, name))));
  const living = new Set(
    stats.flatMap((stat) => (stat ? [files.metadataPath(folder, files.versionOf(stat))] : [])),
  );
  for (const path of sidecars.map((name) => join(folder, name))) {
    if (living.has(path)) continue;
    const stat = await files.lstatFile(path);
    if (stat !== undefined && isLeftover(stat)) await files.removeFile(path);
  }
}

function isLeftover(stat: BigIntStats): boolean {
  return Date.now() - Number(stat.mtimeMs) > leftoverAgeMs;
}
