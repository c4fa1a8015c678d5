import { windowId } from '../etl/window';
import { type ListOptions, listWindowFiles, type LocalFile } from '../local-etl/list';
import { readSteadily } from '../local-etl/read';
import { type LocalEtl, localPath } from '../local-etl/store';

/** Lists the window files of a local ETL store. If a window has several files with different names, all are listed. */
export async function listLocalFiles(store: LocalEtl, options: ListOptions): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  for await (const file of listWindowFiles(store, options)) files.push(file);
  return files;
}

/** Picks one file for each window. If a window has several files, the one that was written last is picked. */
export function newestOfEachWindow<File extends Pick<LocalFile, 'ref' | 'mtimeMs'>>(
  files: readonly File[],
): File[] {
  const oldestFirst = [...files].sort((a, b) => a.mtimeMs - b.mtimeMs);
  return [...new Map(oldestFirst.map((file) => [windowId(file.ref), file])).values()];
}

/**
 * Returns the content of a file. Returns undefined if the file is gone, cannot be read, or keeps changing while it is
 * read.
 */
export async function readLocalFile(
  store: LocalEtl,
  { path }: Pick<LocalFile, 'path'>,
): Promise<Uint8Array | undefined> {
  const read = await readSteadily(localPath(store, path));
  return read.kind === 'read' ? read.bytes : undefined;
}
