import { existsSync } from 'node:fs';
import { type FSWatcher, watch } from 'chokidar';
import type { LocalEtl } from './store';

export interface WatchOptions {
  /** Time without changes after which `onChange` is called. (Default: 1 second) */
  quietMs?: number;
  /** Longest delay of the call of `onChange` if changes continue. (Default: 10 seconds) */
  longestMs?: number;
  /** How often to check whether the folder exists. (Default: 5 seconds) */
  lookEveryMs?: number;
  /** Called when the system refuses to watch. Changes are then found only by the next scan. */
  onError?: (error: unknown) => void;
}

export interface Watcher {
  close(): Promise<void>;
}

/**
 * Calls `onChange` after window files have changed. Many changes in a row lead to one call, which does not say what
 * changed, so the caller must scan. The watched folder may appear later, disappear and come back.
 */
export function watchLocalEtl(store: LocalEtl, onChange: () => void, options: WatchOptions = {}): Watcher {
  const { quietMs = 1_000, longestMs = 10_000, lookEveryMs = 5_000, onError = () => undefined } = options;
  const changed = coalesced(onChange, quietMs, longestMs);
  let watcher: FSWatcher | undefined;
  let closing = Promise.resolve();

  const look = () => {
    const there = existsSync(store.bingen);
    if (there && watcher === undefined) {
      watcher = watchFolders(store.bingen, changed.soon, onError);
      // Files may have been written before watching began, so report a change.
      changed.soon();
    } else if (!there && watcher !== undefined) {
      const gone = watcher;
      watcher = undefined;
      closing = closing.then(() => gone.close());
    }
  };
  look();
  const looking = setInterval(look, lookEveryMs);
  return {
    close: async () => {
      clearInterval(looking);
      changed.stop();
      await closing;
      await watcher?.close();
    },
  };
}

/**
 * Watches only folders, since their raw events also report writes to the files in them. With many thousands of files,
 * one watch per file would exceed the system's limit.
 */
function watchFolders(bingen: string, onEvent: () => void, onError: (error: unknown) => void): FSWatcher {
  const watcher = watch(bingen, {
    ignoreInitial: true,
    depth: 2,
    ignored: (_path, stats) => stats?.isFile() === true,
  });
  watcher.on('raw', (_event, name) => {
    if (!isTemporary(name)) onEvent();
  });
  watcher.on('addDir', onEvent);
  watcher.on('error', onError);
  return watcher;
}

function isTemporary(name: string | null): boolean {
  return name?.startsWith('.') ?? false;
}

function coalesced(call: () => void, quietMs: number, longestMs: number) {
  let timer: NodeJS.Timeout | undefined;
  let since: number | undefined;
  const fire = () => {
    timer = since = undefined;
    call();
  };
  const soon = () => {
    since ??= Date.now();
    clearTimeout(timer);
    timer = setTimeout(fire, Math.max(0, Math.min(quietMs, since + longestMs - Date.now())));
  };
  return { soon, stop: () => clearTimeout(timer) };
}
