import { dirname } from 'node:path';
import type { WindowId } from '../etl/window';
import { echoFault } from './echo';
import { statWindowFile } from './list';
import type { OwnFile, OwnFiles } from './own-files';
import { ownNames } from './own-names';
import { linkOnPath } from './passed-over';
import type { Pulled } from './pulled';
import { readWindowFile } from './read';
import { removeIfSame, replaceIfSame, type Stamp } from './replace';
import { type LocalEtl, localPath } from './store';
import { syncFolder } from './write';

export interface ReturnDependencies {
  store: LocalEtl;
  cluster: string;
  pulled: Pulled;
  files: OwnFiles;
  /** Maximum unpacked size of a gzipped file, in bytes. */
  mostUnpacked?: number;
  /** If true, nothing is written: the result is what would be done. */
  dryRun: boolean;
}

/**
 * Result of `returnWindow`. `own`: a local file was already the cluster's own. `fromFolder`, `fromBackup`: the
 * cluster's own files were restored from the bucket or from a backup. `removed`: combined files were removed, and the
 * cluster has no file of its own. `absent`: there was nothing to remove and nothing to restore.
 */
export type Returned = 'own' | 'fromFolder' | 'fromBackup' | 'removed' | 'absent';

/**
 * Restores the cluster's own files of a window and removes the combined files. `paths` are the window's local files.
 * The caller must hold the window's lock.
 */
export async function returnWindow(
  deps: ReturnDependencies,
  id: WindowId,
  paths: readonly string[],
): Promise<Returned> {
  // A pull never writes through a link, so a file behind a link was not pulled.
  if ((await linkOnPath(deps.store, id)) !== undefined) return 'absent';
  const whose = new Map<string, Judged>();
  for (const path of new Set([id, ...paths])) whose.set(path, await judge(deps, path));
  // If one of the files is the cluster's own, the cluster's cost-model has rebuilt that file. The rebuilt file is newer
  // than any saved copy, so do not restore a copy.
  const rebuilt = [...whose.values()].some(({ kind }) => kind === 'own');
  const { files, from } = rebuilt ? { files: [], from: 'own' as const } : await savedFiles(deps.files, id);
  let restored = 0;
  for (const file of files) {
    if (await putBack(deps, file, whose.get(file.path))) restored++;
    whose.delete(file.path);
  }
  let removed = 0;
  for (const [path, judged] of whose) if (await removeCombined(deps, path, judged)) removed++;
  if (from !== undefined) return files.length > 0 && restored === 0 ? 'own' : from;
  return removed > 0 ? 'removed' : 'absent';
}

/**
 * Puts a saved file in place. Returns false if the cluster's cost-model has rebuilt the file in the meantime: the
 * rebuilt file is newer, so it is kept.
 */
async function putBack(
  deps: ReturnDependencies,
  { path, fetch }: OwnFile,
  before: Judged | undefined,
): Promise<boolean> {
  if (deps.dryRun) return true;
  const target = localPath(deps.store, path);
  for (let now = before ?? (await judge(deps, path)); now.kind !== 'own'; now = await judge(deps, path)) {
    if (!(await replaceIfSame(await fetch(target), target, now.stamp))) continue;
    await syncFolder(dirname(target));
    return true;
  }
  return false;
}

/**
 * Removes a file if it still contains combined data. Returns whether the file was removed, or would be in a dry run.
 */
async function removeCombined(deps: ReturnDependencies, path: string, before: Judged): Promise<boolean> {
  for (let now = before; now.kind === 'combined'; now = await judge(deps, path)) {
    if (deps.dryRun || (await removeIfSame(localPath(deps.store, path), now.stamp))) return true;
  }
  return false;
}

async function savedFiles(own: OwnFiles, id: WindowId) {
  const inFolder = await own.fromFolder(id);
  if (inFolder.length > 0) return { files: inFolder, from: 'fromFolder' as const };
  const inBackup = own.fromBackup(id);
  return { files: inBackup, from: inBackup.length > 0 ? ('fromBackup' as const) : undefined };
}

/**
 * Origin of a local file. `combined`: the file was pulled, or rewritten from a pulled file. `incomplete`: the file
 * cannot be read completely, so its origin is unknown. `gone`: the file does not exist.
 */
interface Judged {
  readonly kind: 'own' | 'combined' | 'incomplete' | 'gone';
  /** Size and time of the file that was judged; undefined if it does not exist. */
  readonly stamp: Stamp | undefined;
}

async function judge(
  { store, cluster, pulled, mostUnpacked }: ReturnDependencies,
  path: string,
): Promise<Judged> {
  const stamp = await statWindowFile(store, path);
  const content = await readWindowFile(store, path, mostUnpacked);
  if (content.kind === 'gone') return { kind: 'gone', stamp: undefined };
  if (content.kind === 'incomplete') return { kind: 'incomplete', stamp };
  const { digest, clusters, file } = content;
  if (await pulled.has(digest)) return { kind: 'combined', stamp: file };
  const isOwn = clusters === undefined || echoFault(clusters, await ownNames(store, cluster)) === undefined;
  return { kind: isOwn ? 'own' : 'combined', stamp: file };
}
