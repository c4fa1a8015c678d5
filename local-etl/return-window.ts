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
}

/** What a window is now: `own` already, brought back, gone because nothing of it was its own, or not there before. */
export type Returned = 'own' | 'fromFolder' | 'fromBackup' | 'removed' | 'absent';

/** Makes one window the cluster's own again; `paths` are its local files. The caller holds the window's lock. */
export async function returnWindow(
  deps: ReturnDependencies,
  id: WindowId,
  paths: readonly string[],
): Promise<Returned> {
  const whose = new Map<string, Whose>();
  for (const path of new Set([id, ...paths])) whose.set(path, await whoseIs(deps, path));
  // What the cluster has built anew is newer than anything that was saved.
  const builtAnew = [...whose.values()].includes('own');
  const { files, from } = builtAnew ? { files: [], from: 'own' as const } : await savedFiles(deps.files, id);
  for (const { path, fetch } of files) {
    const target = localPath(deps.store, path);
    await moveInto(await fetch(target), target);
    whose.set(path, 'own');
  }
  const combined = [...whose].filter(([, kind]) => kind === 'combined');
  for (const [path] of combined) await removeFile(localPath(deps.store, path));
  if (from !== undefined) return from;
  return combined.length > 0 ? 'removed' : 'absent';
}

async function savedFiles(own: OwnFiles, id: WindowId) {
  const inFolder = await own.fromFolder(id);
  if (inFolder.length > 0) return { files: inFolder, from: 'fromFolder' as const };
  const inBackup = own.fromBackup(id);
  return { files: inBackup, from: inBackup.length > 0 ? ('fromBackup' as const) : undefined };
}

/** `combined`: it was pulled, or written again from what was pulled. An incomplete file is nobody's. */
type Whose = 'own' | 'combined' | 'incomplete' | 'gone';

async function whoseIs({ store, cluster, pulled }: ReturnDependencies, path: string): Promise<Whose> {
  const content = await readWindowFile(store, path);
  if (content.kind !== 'complete') return content.kind;
  if (await pulled.has(content.digest)) return 'combined';
  if (content.clusters === undefined) return 'own';
  return echoFault(content.clusters, await ownNames(store, cluster)) === undefined ? 'own' : 'combined';
}
