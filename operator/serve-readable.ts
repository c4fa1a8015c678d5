import { type FederationError, isFederationError } from '../errors/federation-error';
import type { QueryEngine } from '../query/engine';
import type { IngestedRows, IngestSummary, WantedFile } from '../query/ingest';
import type { Serving } from '../query/publish';

/** A window file with a name, which is a path or a window id. The name identifies the file if it cannot be read. */
export interface NamedFile extends WantedFile {
  readonly name: string;
}

/** A file that could not be read, and why. */
export interface UnreadableFile {
  readonly name: string;
  /** The digest of the unreadable content, as in `WantedFile`. */
  readonly digest: string;
  readonly code: string;
  readonly detail: string;
}

/** Unreadable files by name. */
export type UnreadableFiles = ReadonlyMap<string, UnreadableFile>;

export interface ServeReadableOptions {
  readonly signal: AbortSignal;
  /**
   * Returns the files to serve, without those in `unreadable`. Called again after a file turns out to be unreadable.
   */
  readonly files: (unreadable: UnreadableFiles) => readonly NamedFile[];
  /**
   * Returns the description of the served data. Called whenever `files` is called. (Default: the time of the ingest)
   */
  readonly serving?: (unreadable: UnreadableFiles) => Partial<Serving>;
  /** Called once per unreadable file. */
  readonly onUnreadable?: (file: UnreadableFile) => void;
  /**
   * Called after each file that is read. `of`: the number of files to read, which are those that the engine does not
   * have yet.
   */
  readonly progress?: (done: number, of: number) => void;
}

/**
 * Serves all files that can be read. The engine refuses an ingest with an unreadable file, so the ingest is repeated
 * without that file. Files that were read are not read again. An error that concerns more than one file is thrown. The
 * returned counts include what all attempts added.
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

/** Returns whether an error concerns only one file, so that other files may well be readable. */
function concernsTheFile({ code }: FederationError): boolean {
  return (
    code.startsWith('ETL_') ||
    ['GENERATION_UNREADABLE', 'STORAGE_CONFLICT', 'STORAGE_CORRUPT', 'STORAGE_NOT_FOUND'].includes(code)
  );
}
