import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWindowFile, pipelines, type WindowFile } from '../etl/window';
import { allowed, ifThere, type LocalEtl, localPath } from './store';

/** A file, with its size and modification time when it was listed. */
export interface FileStamp {
  /** Path relative to the folder `bingen/`, spelled exactly as on disk. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** A window file, with its size and modification time when it was listed. */
export interface LocalFile extends WindowFile, FileStamp {}

/**
 * Lists the window files of the pipelines that take part in federation, in directory order. (A window file contains the
 * costs of one time window.) Skips everything else: other pipelines, temporary files, links. Yields each file as soon
 * as it is found, so the number of files is not limited by memory.
 */
export async function* listWindowFiles(store: LocalEtl, signal?: AbortSignal): AsyncGenerator<LocalFile> {
  for (const pipeline of pipelines) {
    for await (const resolution of entries(join(store.bingen, pipeline))) {
      if (!resolution.isDirectory()) continue;
      for await (const entry of entries(join(store.bingen, pipeline, resolution.name))) {
        signal?.throwIfAborted();
        const path = `${pipeline}/${resolution.name}/${entry.name}`;
        const file = entry.isFile() ? await statWindowFile(store, path) : undefined;
        if (file !== undefined) yield file;
      }
    }
  }
}

/**
 * Returns a window file with its current size and modification time. Returns undefined if the file does not exist or is
 * not a window file.
 */
export async function statWindowFile(store: LocalEtl, path: string): Promise<LocalFile | undefined> {
  const parsed = parseWindowFile(path);
  if (parsed === undefined) return undefined;
  const stats = await ifThere(lstat(localPath(store, path)));
  return stats?.isFile() ? { ...parsed, path, ...stamp(stats) } : undefined;
}

/**
 * Lists all regular files of the pipelines that take part in federation, except temporary files. A backup saves all of
 * these files, whether they are window files or not.
 */
export async function* listAllFiles(store: LocalEtl, signal?: AbortSignal): AsyncGenerator<FileStamp> {
  const folders: string[] = [...pipelines];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of entries(localPath(store, folder))) {
      signal?.throwIfAborted();
      if (entry.name.startsWith('.')) continue;
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      const stats = entry.isFile() ? await ifThere(lstat(localPath(store, path))) : undefined;
      if (stats !== undefined) yield { path, ...stamp(stats) };
    }
  }
}

/** Returns true if the store has any file that a backup would save. */
export async function hasFiles(store: LocalEtl): Promise<boolean> {
  for await (const _ of listAllFiles(store)) return true;
  return false;
}

/**
 * Returns a file's size and modification time. Comparing both with earlier values shows whether the file has changed,
 * without reading it.
 */
export function stamp(stats: Stats): { size: number; mtimeMs: number } {
  return { size: stats.size, mtimeMs: stats.mtimeMs };
}

async function* entries(folder: string) {
  const directory = await allowed(folder, ifThere(opendir(folder)));
  if (directory !== undefined) yield* directory;
}
