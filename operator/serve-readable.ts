import { type FederationError, isFederationError } from '../errors/federation-error';
import type { QueryEngine } from '../query/engine';
import type { IngestedRows, IngestSummary, WantedFile } from '../query/ingest';
import type { Serving } from '../query/publish';

/** A window file with a name, which is its path or window id. The name identifies the file if it cannot be read. */
export interface NamedFile extends WantedFile {
  readonly name: string;
}

/** A file that could not be read, and why. */
export interface UnreadableFile {
  readonly name: string;
  /** Digest of the file's content, as in `WantedFile`. */
  readonly digest: string;
  readonly code: string;
  readonly detail: string;
}

/** Unreadable files, keyed by name. */
export type UnreadableFiles = ReadonlyMap<string, UnreadableFile>;

export interface ServeReadableOptions {
  readonly signal: AbortSignal;
  /**
   * Returns the files to serve, without those in `unreadable`. Called again each time a file turns out to be
   * unreadable.
   */
  readonly files: (unreadable: UnreadableFiles) => readonly NamedFile[];
  /**
   * Returns further facts about the served data, in addition to the time of the ingest. Called whenever `files` is
   * called.
   */
  readonly serving?: (unreadable: UnreadableFiles) => Partial<Serving>;
  /** Called once for each unreadable file. */
  readonly onUnreadable?: (file: UnreadableFile) => void;
  /**
   * Called each time a file has been read. `of` is the number of files to read, not counting those that the engine
   * already has.
   */
  readonly progress?: (done: number, of: number) => void;
}

/**
 * Serves all files that can be read. The engine refuses an ingest with an unreadable file, so the ingest is repeated
 * without that file. Files that were already read are not read again. An error that concerns more than one file is
 * thrown. The returned counts are the totals of all attempts.
 */
export async function serveReadable(
  engine: QueryEngine,
  { signal, files, serving, onUnreadable, progress }: ServeReadableOptions,
): Promise<IngestSummary & { readonly unreadable: readonly UnreadableFile[] }> {
  const unreadable = new Map<string, UnreadableFile>();
  const noting = (file: NamedFile): WantedFile => ({
    ...file,
    read: async (allIdentities) => {
      try {
        return await file.read(allIdentities);
      } catch (error) {
        if (isFederationError(error) && concernsTheFile(error)) {
          const { name, digest } = file;
          const found = { name, digest, code: error.code, detail: error.detail };
          unreadable.set(name, found);
          onUnreadable?.(found);
        }
        throw error;
      }
    },
  });
  let [ingested, rows] = [0, 0];
  for (;;) {
    const before = unreadable.size;
    let attempt: IngestedRows = { ingested: 0, rows: 0 };
    try {
      const { files: number, ...added } = await engine.serve(
        files(unreadable).map(noting),
        { ingestedAt: new Date().toISOString(), ...serving?.(unreadable) },
        {
          signal,
          progress: (done, of, added) => {
            attempt = added;
            const there = done - added.ingested;
            if (added.ingested > 0) progress?.(ingested + added.ingested, ingested + of - there);
          },
        },
      );
      return {
        files: number,
        ingested: ingested + added.ingested,
        rows: rows + added.rows,
        unreadable: [...unreadable.values()],
      };
    } catch (error) {
      if (unreadable.size === before) throw error;
      ingested += attempt.ingested;
      rows += attempt.rows;
    }
  }
}

/** Returns whether an error concerns only one file, so that other files may still be readable. */
function concernsTheFile({ code }: FederationError): boolean {
  return (
    code.startsWith('ETL_') ||
    ['GENERATION_UNREADABLE', 'STORAGE_CONFLICT', 'STORAGE_CORRUPT', 'STORAGE_NOT_FOUND'].includes(code)
  );
}
