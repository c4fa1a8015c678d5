import { parseWindowId, windowId, type WindowId, type WindowRef } from '../etl/window';
import { type LocalFile, listWindowFiles } from './list';
import { readWindowFile } from './read';
import type { LocalEtl } from './store';

/** The local files by window: nearly always one, but a window may lie there under several names. */
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

/** When windows are in the scope of a federation: since when, and by their age. */
export interface WindowScope {
  /** Windows that start before it are not; RFC 3339. */
  readonly cutoff?: string;
  /** Whether a window is too old. */
  isExpired(ref: WindowRef): boolean;
}

/** The windows that are over by `now` and that a federation takes. */
export function closedWindows(ids: Iterable<WindowId>, now: Date, scope: WindowScope): WindowId[] {
  const from = scope.cutoff === undefined ? 0 : Date.parse(scope.cutoff) / 1000;
  return [...ids].filter((id) => {
    const ref = parseWindowId(id);
    if (ref === undefined || scope.isExpired(ref)) return false;
    return ref.window.end * 1000 <= now.getTime() && ref.window.start >= from;
  });
}

/** Whether one of the files decodes: only then can anybody contribute the window. */
export async function decodes(store: LocalEtl, files: readonly LocalFile[]): Promise<boolean> {
  for (const { path } of files) {
    const content = await readWindowFile(store, path);
    if (content.kind === 'complete' && content.clusters !== undefined) return true;
  }
  return false;
}
