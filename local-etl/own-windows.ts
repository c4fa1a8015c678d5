import { parseWindowId, type WindowId, windowId, type WindowRef } from '../etl/window';
import { type ListOptions, listWindowFiles, type LocalFile } from './list';
import { readWindowFile } from './read';
import type { LocalEtl } from './store';

/**
 * Groups the local files by window. A window nearly always has one file, but it may have several with different names.
 */
export async function filesByWindow(
  store: LocalEtl,
  options: ListOptions = {},
): Promise<Map<WindowId, LocalFile[]>> {
  const windows = new Map<WindowId, LocalFile[]>();
  for await (const file of listWindowFiles(store, options)) {
    const id = windowId(file.ref);
    windows.set(id, [...(windows.get(id) ?? []), file]);
  }
  return windows;
}

/** Limits which windows take part in a federation: by a cut-off date and by a maximum age. */
export interface WindowScope {
  /** Cut-off date, in RFC 3339 format. Windows that start before it do not take part. */
  readonly cutoff?: string;
  /** Returns true if a window is older than the maximum age. */
  isExpired(ref: WindowRef): boolean;
}

/** Returns the windows that are within `scope` and have ended by `now`. */
export function closedWindows(ids: Iterable<WindowId>, now: Date, scope: WindowScope): WindowId[] {
  const from = scope.cutoff === undefined ? 0 : Date.parse(scope.cutoff) / 1000;
  return [...ids].filter((id) => {
    const ref = parseWindowId(id);
    if (ref === undefined || scope.isExpired(ref)) return false;
    return ref.window.end * 1000 <= now.getTime() && ref.window.start >= from;
  });
}

/**
 * Returns true if at least one of a window's files can be decoded. If none can, the cluster cannot contribute to this
 * window.
 */
export async function decodes(
  store: LocalEtl,
  files: readonly LocalFile[],
  mostUnpacked?: number,
): Promise<boolean> {
  for (const { path } of files) {
    const content = await readWindowFile(store, path, mostUnpacked);
    if (content.kind === 'complete' && content.clusters !== undefined) return true;
  }
  return false;
}
