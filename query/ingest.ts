import type { NotFinite } from '../etl/not-finite';
import type { WindowRef } from '../etl/window';
import type { AllocationBatches, WindowColumns } from './columns';
import { type Database, rowsOf } from './database';
import { IdentityUnknown } from './fill-identities';
import { IngestConnection } from './ingest-connection';
import { type PipelineTables, pipelineTables } from './pipeline-tables';
import { publish, type Serving } from './publish';
import { sweep } from './sweep';

/** A window file to ingest, so that queries can read it. */
export interface WantedFile extends WindowRef {
  /** Digest of the file's content. If it changes, the file has to be ingested again. */
  readonly digest: string;
  /**
   * Reads the file, either as a whole or in batches. Throws if the file cannot be used. Omits identities (names, labels
   * and other strings of allocations) that earlier calls returned, unless `allIdentities` is true.
   */
  read(allIdentities?: boolean): Promise<ReadWindow>;
}

export type ReadWindow = WindowColumns | AllocationBatches;

export interface IngestOptions {
  readonly signal?: AbortSignal;
  /**
   * Called at the beginning and after each file. `done` is the number of files that are stored, and `of` is the
   * total number of files. `added` counts only what this ingest has stored.
   */
  readonly progress?: (done: number, of: number, added: IngestedRows) => void;
}

/** Counts what an ingest added to the database. */
export interface IngestedRows {
  /** Number of files that the ingest read. All other files were already stored. */
  readonly ingested: number;
  readonly rows: number;
}

export interface IngestSummary extends IngestedRows {
  readonly files: number;
}

/**
 * Fills the database from window files. Each file is stored in its own transaction. If an ingest fails, the next one
 * only has to store the files that are still missing. A final transaction makes all files visible to queries at once.
 * If a file cannot be used, the ingest stops, and queries continue to read the previous data. Only one ingest may run
 * at a time.
 */
export class Ingest {
  private constructor(private readonly into: IngestConnection) {}

  static async open(database: Database): Promise<Ingest> {
    return new Ingest(await IngestConnection.open(database));
  }

  /**
   * Stores the given files, except those that are already stored. Queries then read the given files instead of the
   * current ones.
   */
  async serve(
    wanted: readonly WantedFile[],
    serving: Serving,
    options: IngestOptions = {},
  ): Promise<IngestSummary> {
    const { signal, progress } = options;
    const { into } = this;
    const known = new Map<string, number>();
    for (const row of await rowsOf(into.connection, 'select * from file'))
      known.set(fileKey(row), Number(row['id']));
    const missing = wanted.filter((file) => !known.has(keyOf(file)));
    let rows = 0;
    let done = wanted.length - missing.length;
    progress?.(done, wanted.length, { ingested: 0, rows });
    let next = readAhead(missing[0]);
    try {
      for (const [index, file] of missing.entries()) {
        signal?.throwIfAborted();
        const window = await next.window();
        const added = await this.add(file, window, () => (next = readAhead(missing[index + 1])), signal);
        rows += added.rows;
        known.set(keyOf(file), added.id);
        progress?.(++done, wanted.length, { ingested: index + 1, rows });
      }
    } finally {
      next.close();
    }
    const served = wanted.map((file) => known.get(keyOf(file)) ?? 0);
    await publish(into, served, serving);
    await sweep(into);
    return { files: wanted.length, ingested: missing.length, rows };
  }

  close(): void {
    this.into.close();
  }

  /**
   * Stores a file. If the content omits an identity that is not in the database, reads the file again, with all
   * identities.
   *
   * @param taken called when the whole file has been read. The caller can then start to read the next file, while the
   * totals of this file are being computed.
   */
  private async add(
    file: WantedFile,
    window: ReadWindow,
    taken: () => void,
    signal?: AbortSignal,
  ): Promise<{ id: number; rows: number }> {
    try {
      return await this.addWindow(file, window, taken, signal);
    } catch (error) {
      if (!(error instanceof IdentityUnknown)) throw error;
      return this.addWindow(file, await file.read(true), taken, signal);
    }
  }

  private async addWindow(
    { pipeline, resolution, window, digest }: WantedFile,
    read: ReadWindow,
    taken: () => void,
    signal?: AbortSignal,
  ): Promise<{ id: number; rows: number }> {
    const { into } = this;
    const { connection, numbers, tables } = into;
    const stored: PipelineTables = pipelineTables[read.pipeline];
    const peaks = new Map<string, number>();
    const id = ++numbers.lastFile;
    let rows = 0;
    const fill = async (columns: WindowColumns) => {
      await stored.fill(into, id, columns, peaks, signal);
      await this.addNotFinite(id, columns.notFinite);
      rows += columns.rows;
    };
    await into.transaction(async () => {
      if ('batches' in read) for await (const columns of read.batches) await fill(columns);
      else await fill(read);
      taken();
      tables.finish();
      if (stored.summary !== undefined) await connection.run(stored.summary(peaks), [id]);
      await connection.run(
        `insert into contribution select $1, cluster, count(*), ${stored.cost(peaks)} from ${stored.records} where file = $1 group by cluster`,
        [id],
      );
      await connection.run(
        'insert into file values ($1, $2, $3, $4, $5, $6, map($7::varchar[], $8::double[]))',
        [
          id,
          pipeline,
          resolution,
          window.start,
          window.end,
          digest,
          `[${[...peaks.keys()].join()}]`,
          `[${[...peaks.values()].join()}]`,
        ],
      );
    });
    return { id, rows };
  }

  private async addNotFinite(file: number, found: readonly NotFinite[]): Promise<void> {
    const { into } = this;
    for (const { cluster, field, numbers } of found) {
      const number = await into.clusterNumber(cluster);
      await into.connection.run('insert into not_finite values ($1, $2, $3, $4)', [
        file,
        number,
        field,
        numbers,
      ]);
    }
  }
}

/** A file that is being read while the previous file is still being stored. */
interface ReadAhead {
  /** Returns the content of the file. Throws if the file could not be read. */
  window(): Promise<ReadWindow>;
  /** If the file is read in batches, discards the batches that have not been read. */
  close(): void;
}

/** Starts to read a file. Does not throw: if reading fails, `window` throws the error. */
function readAhead(file: WantedFile | undefined): ReadAhead {
  const reading = file?.read();
  reading?.catch(() => undefined);
  return {
    window: async () => {
      if (reading === undefined) throw new Error('There is no file to read.');
      return reading;
    },
    close: () => {
      reading?.then(
        (window) => 'close' in window && window.close(),
        () => undefined,
      );
    },
  };
}

function keyOf(file: WantedFile): string {
  const { start, end } = file.window;
  return fileKey({ ...file, window_start: start, window_end: end });
}

function fileKey(row: Readonly<Record<string, unknown>>): string {
  return [row['pipeline'], row['resolution'], row['window_start'], row['window_end'], row['digest']].join(
    ' ',
  );
}
