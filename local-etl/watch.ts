import { watch, type FSWatcher } from 'chokidar';
import { existsSync } from 'node:fs';
import type { LocalEtl } from './store';

export interface WatchOptions {
  /** How long it must have been quiet. (Default: 1 second) */
  quietMs?: number;
  /** How long a change waits at most while it is never quiet. (Default: 10 seconds) */
  longestMs?: number;
  /** How often to look for a folder that is not there. (Default: 5 seconds) */
  lookEveryMs?: number;
  /** Told when the system refuses to watch; changes are then only found by the next scan. */
  onError?: (error: unknown) => void;
}

export interface Watcher {
  close(): Promise<void>;
}

/**
 * Calls back after something changed among the window files; many changes are one call. It says nothing about what
 * changed: whoever is called looks for himself. The folder may come later, go and come back.
 */
export function watchLocalEtl(store: LocalEtl, onChange: () => void, options: WatchOptions = {}): Watcher {
  const { quietMs = 1_000, longestMs = 10_000, lookEveryMs = 5_000, onError = () => undefined } = options;
  const tell = coalesced(onChange, quietMs, longestMs);
  let watcher: FSWatcher | undefined;
  let closing = Promise.resolve();

  const look = () => {
    const there = existsSync(store.bingen);
    if (there && watcher === undefined) {
      watcher = watchFolders(store.bingen, tell.soon, onError);
      // What lies there already came before we watched.
      tell.soon();
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
      tell.stop();
      await closing;
      await watcher?.close();
    },
  };
}

/**
 * Watches the folders only, whose raw events also tell of writes to the files in them: a watch for each of many
 * thousand files would meet the system's limit.
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
