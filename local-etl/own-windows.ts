import { parseWindowId, windowId, type WindowId } from '../etl/window';
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

/** The windows that are over by `now` and start at the cut-off or after it. */
export function closedWindows(ids: Iterable<WindowId>, now: Date, cutoff: string | undefined): WindowId[] {
  const from = cutoff === undefined ? 0 : Date.parse(cutoff) / 1000;
  return [...ids].filter((id) => {
    const window = parseWindowId(id)?.window;
    return window !== undefined && window.end * 1000 <= now.getTime() && window.start >= from;
  });
}

/** Whether one of the files decodes: only then can anybody contribute the window. */
export async function decodes(store: LocalEtl, files: readonly LocalFile[]): Promise<boolean> {
  for (const { path } of files) {
    const content = await readWindowFile(store, path);
    if (content.kind === 'complete' && content.set !== undefined) return true;
  }
  return false;
}
