import type { WindowId } from '../etl/window';
import { echoFault } from './echo';
import type { OwnFiles } from './own-files';
import { ownNames } from './own-names';
import type { Pulled } from './pulled';
import { readWindowFile } from './read';
import { type LocalEtl, localPath } from './store';
import { moveInto, removeFile } from './write';

export interface ReturnDependencies {
  store: LocalEtl;
  cluster: string;
  pulled: Pulled;
  files: OwnFiles;
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
 * Restores the cluster's own files of a window and removes the combined ones. `paths` are the window's local files. The
 * caller must hold the window's lock.
 */
export async function returnWindow(
  deps: ReturnDependencies,
  id: WindowId,
  paths: readonly string[],
): Promise<Returned> {
  const whose = new Map<string, Whose>();
  for (const path of new Set([id, ...paths])) whose.set(path, await whoseIs(deps, path));
  // If one of the files is the cluster's own, the cluster's cost-model has rebuilt it. This file is newer than any
  // saved copy, so do not restore one.
  const rebuilt = [...whose.values()].includes('own');
  const { files, from } = rebuilt ? { files: [], from: 'own' as const } : await savedFiles(deps.files, id);
  for (const { path, fetch } of files) {
    const target = localPath(deps.store, path);
    if (!deps.dryRun) await moveInto(await fetch(target), target);
    whose.set(path, 'own');
  }
  const combined = [...whose].filter(([, kind]) => kind === 'combined');
  if (!deps.dryRun) for (const [path] of combined) await removeFile(localPath(deps.store, path));
  if (from !== undefined) return from;
  return combined.length > 0 ? 'removed' : 'absent';
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
type Whose = 'own' | 'combined' | 'incomplete' | 'gone';

async function whoseIs({ store, cluster, pulled }: ReturnDependencies, path: string): Promise<Whose> {
  const content = await readWindowFile(store, path);
  if (content.kind !== 'complete') return content.kind;
  if (await pulled.has(content.digest)) return 'combined';
  if (content.clusters === undefined) return 'own';
  return echoFault(content.clusters, await ownNames(store, cluster)) === undefined ? 'own' : 'combined';
}
