import type { Dirent, Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { isPipeline, parseWindowFile, type Pipeline, type WindowFile } from '../etl/window';
import { linked, type PassedOver } from './passed-over';
import { allowed, ifThere, type LocalEtl, localPath, refusalOf, requireNoLink, whyUnreadable } from './store';

/** Attributes of a file. If a file is written or replaced, at least one of these values changes. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  /** Time of the last change of the file or its attributes. Unlike `mtimeMs`, programs cannot set it. */
  readonly ctimeMs: number;
  readonly inode: number;
}

/** A file, with its attributes at the time when it was listed. */
export interface FileStamp extends Stamp {
  /** Path relative to the folder `bingen/`, spelled exactly as on disk. */
  readonly path: string;
}

/** A window file, with its attributes at the time when it was listed. */
export interface LocalFile extends WindowFile, FileStamp {}

export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Called for each folder that cannot be read, and for each link found where a folder or window file was expected. */
  readonly passOver?: (place: PassedOver) => void;
}

/**
 * Lists the window files of the pipelines that take part in federation, in directory order. (A window file contains the
 * costs of one time window.) Skips everything else: other pipelines, temporary files, links. Yields each file as soon
 * as it is found, so the number of files is not limited by memory.
 *
 * A folder that cannot be read does not end the listing, because it may belong to another program. Only `bingen/`
 * itself must be readable and must not be a link. Otherwise, throws LOCAL_ETL_REFUSED.
 */
export async function* listWindowFiles(
  store: LocalEtl,
  options: ListOptions = {},
): AsyncGenerator<LocalFile> {
  for (const pipeline of await findPipelines(store, options))
    yield* listPipelineFiles(store, pipeline, options);
}

/** Returns the pipelines that have a folder in the local ETL. Passes over other folders that cannot be read. */
export async function findPipelines(store: LocalEtl, options: ListOptions = {}): Promise<Pipeline[]> {
  const found: Pipeline[] = [];
  for await (const folder of folders(store, '', options))
    if (isPipeline(folder)) found.push(folder);
    else await findReadable(store, folder, options);
  return found;
}

/** Lists the window files of one of the pipelines that `findPipelines` has found. */
export async function* listPipelineFiles(
  store: LocalEtl,
  pipeline: Pipeline,
  options: ListOptions = {},
): AsyncGenerator<LocalFile> {
  for await (const resolution of folders(store, pipeline, options))
    yield* windowFiles(store, resolution, options);
}

async function* windowFiles(
  store: LocalEtl,
  folder: string,
  options: ListOptions,
): AsyncGenerator<LocalFile> {
  for await (const { path, entry } of entries(store, folder, options)) {
    if (entry.isDirectory()) await findReadable(store, path, options);
    else if (entry.isSymbolicLink() && parseWindowFile(path) !== undefined) options.passOver?.(linked(path));
    const file = entry.isFile() ? await statWindowFile(store, path) : undefined;
    if (file !== undefined) yield file;
  }
}

/**
 * Returns a window file with its current stamp. Returns undefined if the file does not exist or is
 * not a window file.
 */
export async function statWindowFile(store: LocalEtl, path: string): Promise<LocalFile | undefined> {
  const parsed = parseWindowFile(path);
  if (parsed === undefined) return undefined;
  const at = localPath(store, path);
  const stats = await allowed(at, ifThere(lstat(at)));
  return stats?.isFile() ? { ...parsed, path, ...stamp(stats) } : undefined;
}

/**
 * Lists all regular files of the pipelines that take part in federation, except temporary files. A backup saves all of
 * these files, whether they are window files or not. Skips links, and folders that cannot be read.
 */
export async function* listAllFiles(store: LocalEtl, options: ListOptions = {}): AsyncGenerator<FileStamp> {
  for await (const folder of folders(store, '', options))
    if (isPipeline(folder)) yield* filesBelow(store, folder, options);
}

async function* filesBelow(store: LocalEtl, folder: string, options: ListOptions): AsyncGenerator<FileStamp> {
  for await (const { path, entry } of entries(store, folder, options)) {
    if (entry.isDirectory()) yield* filesBelow(store, path, options);
    else if (entry.isSymbolicLink()) options.passOver?.(linked(path));
    const stats = entry.isFile() ? await ifThere(lstat(localPath(store, path))) : undefined;
    if (stats !== undefined) yield { path, ...stamp(stats) };
  }
}

/** Returns true if the store has any file that a backup would save. */
export async function hasFiles(store: LocalEtl): Promise<boolean> {
  for await (const _ of listAllFiles(store)) return true;
  return false;
}

/** Returns a file's stamp. If it equals an earlier stamp, the file has not changed. */
export function stamp({ size, mtimeMs, ctimeMs, ino }: Stats): Stamp {
  return { size, mtimeMs, ctimeMs, inode: ino };
}

/**
 * Yields the paths of the folders in a folder. Passes each link to `passOver`, because a folder was expected in its
 * place.
 */
async function* folders(store: LocalEtl, folder: string, options: ListOptions): AsyncGenerator<string> {
  for await (const { path, entry } of entries(store, folder, options)) {
    if (entry.isDirectory()) yield path;
    else if (entry.isSymbolicLink() && (folder !== '' || isPipeline(path))) options.passOver?.(linked(path));
  }
}

/** Passes the folder to `passOver` if the folder cannot be read. Does not list its content. */
async function findReadable(store: LocalEtl, folder: string, options: ListOptions): Promise<void> {
  for await (const _ of entries(store, folder, options)) return;
}

interface Entry {
  readonly path: string;
  readonly entry: Dirent;
}

/**
 * Yields the entries of a folder below `bingen/`, except those whose names start with a dot. Passes the folder to
 * `passOver` if the folder cannot be read.
 */
async function* entries(
  store: LocalEtl,
  folder: string,
  { signal, passOver }: ListOptions,
): AsyncGenerator<Entry> {
  const at = localPath(store, folder);
  try {
    if (folder === '') await requireNoLink(at);
    const directory = await ifThere(opendir(at));
    if (directory === undefined) return;
    // Looking up a name in the folder needs a separate permission, which `opendir` does not check.
    await lstat(`${at}/.`);
    for await (const entry of directory) {
      signal?.throwIfAborted();
      if (entry.name.startsWith('.')) continue;
      yield { path: folder === '' ? entry.name : `${folder}/${entry.name}`, entry };
    }
  } catch (error) {
    const why = folder === '' ? undefined : whyUnreadable(error);
    if (why === undefined) throw refusalOf(at, error);
    passOver?.({ path: folder, kind: 'unreadable', why });
  }
}
