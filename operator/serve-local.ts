import type { ReadThreads } from '../activities/threads/read-threads';
import type { LocalFile } from '../local-etl/list';
import { PassedOverPlaces } from '../local-etl/passed-over';
import type { LocalEtl } from '../local-etl/store';
import { watchLocalEtl } from '../local-etl/watch';
import type { QueryEngine } from '../query/engine';
import type { IngestSummary } from '../query/ingest';
import { listLocalFiles, newestOfEachWindow, readLocalFile } from './local-windows';
import { type NamedFile, serveReadable, type UnreadableFile } from './serve-readable';

export interface ServeLocalOptions {
  readonly engine: QueryEngine;
  readonly store: LocalEtl;
  readonly threads: ReadThreads;
  readonly signal: AbortSignal;
  /** Called once for each file that cannot be read. The file's `name` is its path below `bingen/`. */
  readonly onUnreadable: (file: UnreadableFile) => void;
  /** Called after each listing of the store. Receives the places that cannot be read, and the links. */
  readonly onPassedOver?: (places: PassedOverPlaces) => void;
  /** Called each time a file has been read. `of` is the number of files to read. */
  readonly progress: (done: number, of: number) => void;
}

/**
 * Serves the current files of a local ETL store to queries. A file that cannot be read is skipped, and every answer
 * contains a warning about it. If the store has another file for the same window, that file is served instead.
 */
export async function serveLocalEtl(options: ServeLocalOptions): Promise<IngestSummary> {
  const { engine, store, threads, signal, onUnreadable, progress } = options;
  const passedOver = new PassedOverPlaces();
  const listed = await listLocalFiles(store, { signal, passOver: passedOver.add });
  options.onPassedOver?.(passedOver);
  const named = (file: LocalFile): NamedFile => ({
    ...file.ref,
    name: file.path,
    // Use size and modification time as the digest: computing a hash would take as long as ingesting the file.
    digest: `${file.size} ${file.mtimeMs} ${file.ctimeMs}`,
    read: async (allIdentities) =>
      threads.read(file.ref, (await readLocalFile(store, file)) ?? new Uint8Array(), signal, allIdentities),
  });
  return serveReadable(engine, {
    signal,
    files: (unreadable) => newestOfEachWindow(listed.filter(({ path }) => !unreadable.has(path))).map(named),
    serving: (unreadable) => ({ notes: [...unreadable.values()].map(describeUnreadable) }),
    onUnreadable,
    progress,
  });
}

/** Returns the warning that answers to queries contain while a file is skipped. */
export function describeUnreadable({ name, code }: UnreadableFile): string {
  return `${name} cannot be read (${code}) and is left out.`;
}

/**
 * Returns a function that passes an unreadable file to `report`, but not again until the file's content or its error
 * changes. A watched store is read again after every change, and its unreadable files are found again each time.
 */
export function reportOnce(report: (file: UnreadableFile) => void): (file: UnreadableFile) => void {
  const reported = new Map<string, string>();
  return (file) => {
    const { name, digest, code, detail } = file;
    const state = [digest, code, detail].join('\n');
    if (reported.get(name) === state) return;
    reported.set(name, state);
    report(file);
  };
}

/**
 * Runs `work` now and after each change of the store, until the signal is aborted. If the store changes while `work`
 * runs, `work` runs once more afterwards, however many changes there were. If `work` fails, it is not run again, and
 * its error is thrown unless the signal is aborted.
 */
export async function onEachChange(
  store: LocalEtl,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  let changed = true;
  let wake: () => void = () => undefined;
  const watcher = watchLocalEtl(store, () => {
    changed = true;
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        await work();
      } else await new Promise<void>((done) => (wake = done));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await watcher.close();
  }
}
