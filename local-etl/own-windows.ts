import { parseWindowId, type WindowId, windowId, type WindowRef } from '../etl/window';
import { listWindowFiles, type LocalFile } from './list';
import { readWindowFile } from './read';
import type { LocalEtl } from './store';

/** Groups the local files by window. A window nearly always has one file, but may exist under several names. */
export async function filesByWindow(
  store: LocalEtl,
  signal?: AbortSignal,
): Promise<Map<WindowId, LocalFile[]>> {
  const windows = new Map<WindowId, LocalFile[]>();
  for await (const file of listWindowFiles(store, signal)) {
    const id = windowId(file.ref);
    windows.set(id, [...(windows.get(id) ?? []), file]);
  }
  return windows;
}

/** The time limits of a federation: its cut-off date, and the maximum age of a window. */
export interface WindowScope {
  /** Moment in RFC 3339. Windows that start before it are out of scope. */
  readonly cutoff?: string;
  /** Whether a window is older than the maximum age. */
  isExpired(ref: WindowRef): boolean;
}

/** Returns the windows in scope that have ended by `now`. */
export function closedWindows(ids: Iterable<WindowId>, now: Date, scope: WindowScope): WindowId[] {
  const from = scope.cutoff === undefined ? 0 : Date.parse(scope.cutoff) / 1000;
  return [...ids].filter((id) => {
    const ref = parseWindowId(id);
    if (ref === undefined || scope.isExpired(ref)) return false;
    return ref.window.end * 1000 <= now.getTime() && ref.window.start >= from;
  });
}

/** Whether at least one of a window's files can be decoded. If none can, the cluster cannot contribute the window. */
export async function decodes(store: LocalEtl, files: readonly LocalFile[]): Promise<boolean> {
  for (const { path } of files) {
    const content = await readWindowFile(store, path);
    if (content.kind === 'complete' && content.clusters !== undefined) return true;
  }
  return false;
}
