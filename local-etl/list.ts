import type { Stats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWindowFile, pipelines, type WindowFile } from '../etl/window';
import { allowed, ifThere, type LocalEtl, localPath } from './store';

/** A file, with its size and time when it was listed. */
export interface FileStamp {
  /** Path below `bingen/`, spelled as on disk. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** A window file, with its size and time when it was listed. */
export interface LocalFile extends WindowFile, FileStamp {}

/**
 * The window files of the federated pipelines, in directory order. Everything else is skipped: other pipelines,
 * temporary files, links. Only one folder is open at a time and nothing is collected, so any number of files is fine.
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

/** The current size and time of a window file; undefined if it is gone or is not a window file. */
export async function statWindowFile(store: LocalEtl, path: string): Promise<LocalFile | undefined> {
  const parsed = parseWindowFile(path);
  if (parsed === undefined) return undefined;
  const stats = await ifThere(lstat(localPath(store, path)));
  return stats?.isFile() ? { ...parsed, path, ...stamp(stats) } : undefined;
}

/**
 * Every regular file below the folders of the federated pipelines, window file or not, except temporary ones. A backup
 * saves these.
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

/** Whether the store has any file that a backup would save. */
export async function hasFiles(store: LocalEtl): Promise<boolean> {
  for await (const _ of listAllFiles(store)) return true;
  return false;
}

/** Size and modification time, which show without reading whether a file has changed. */
export function stamp(stats: Stats): { size: number; mtimeMs: number } {
  return { size: stats.size, mtimeMs: stats.mtimeMs };
}

async function* entries(folder: string) {
  const directory = await allowed(folder, ifThere(opendir(folder)));
  if (directory !== undefined) yield* directory;
}
