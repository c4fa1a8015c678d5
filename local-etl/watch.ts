import { existsSync } from 'node:fs';
import { type FSWatcher, watch } from 'chokidar';
import type { LocalEtl } from './store';

export interface WatchOptions {
  /** Time without further changes after which `onChange` is called, in milliseconds. (Default: 1,000) */
  quietMs?: number;
  /** If changes continue, `onChange` is called after this time at the latest, in milliseconds. (Default: 10,000) */
  longestMs?: number;
  /** Interval for checking whether the folder exists, in milliseconds. (Default: 5,000) */
  lookEveryMs?: number;
  /** Called if the system refuses to watch the folder. Changes are then noticed only by the next scan. */
  onError?: (error: unknown) => void;
}

export interface Watcher {
  close(): Promise<void>;
}

/**
 * Calls `onChange` after window files have changed. Several changes in a short time cause only one call. The call does
 * not say what has changed, so the caller must scan the files. The watched folder may be created, deleted and created
 * again while it is watched.
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
      // Report a change, because files may have been written before the watch began.
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
 * Watches the folders, but not the files in them. This is enough, because a folder's raw events also report writes to
 * its files. If there are many thousands of files, one watch per file would exceed the system's limit.
 */
function watchFolders(bingen: string, onEvent: () => void, onError: (error: unknown) => void): FSWatcher {
  const watcher = watch(bingen, {
    ignoreInitial: true,
    depth: 2,
    followSymlinks: false,
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
