import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DuckDBArrayValue,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import { noRoomOf } from './no-room';
import { schemaRevision, tables } from './schema';

export interface DatabaseOptions {
  /** A folder of its own. */
  readonly folder: string;
  /** What the database may take of memory, as `512MB`; above it, it spills to the folder. */
  readonly memoryLimit: string;
  readonly threads: number;
}

/** An open database. One process at a time can have it open. */
export interface Database {
  /** A connection sees what was committed when its transaction began. Whoever asks for one closes it. */
  connect(): Promise<DuckDBConnection>;
  /** Checks again how much disk it may spill to: DuckDB checks only once, and never changes its mind. */
  measureDisk(): Promise<void>;
  readonly file: string;
  /** Closes its connections, too. */
  close(): void;
}

/**
 * Opens the database of a folder, or makes it. It only repeats what the ETL files say: one of another schema, or one that
 * cannot be read, is thrown away. Throws QUERY_NO_ROOM, and QUERY_DATABASE_UNUSABLE when it is in use or cannot be written.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { folder } = options;
  const file = join(folder, 'query.duckdb');
  try {
    await mkdir(folder, { recursive: true });
    const opened = await tryOpen(file, options);
    if (opened !== undefined) return opened;
    await rm(file, { force: true });
    await rm(`${file}.wal`, { force: true });
    const anew = await tryOpen(file, options);
    if (anew !== undefined) return anew;
  } catch (cause) {
    throw (
      noRoomOf(cause, options) ??
      new FederationError('QUERY_DATABASE_UNUSABLE', {
        subject: { key: folder },
        detail: `The database cannot be opened: ${firstLine(cause)}`,
        cause,
      })
    );
  }
  throw new FederationError('QUERY_DATABASE_UNUSABLE', {
    subject: { key: folder },
    detail: 'A new database cannot be read.',
  });
}

/** Undefined when what is there is of no use. */
async function tryOpen(file: string, options: DatabaseOptions): Promise<Database | undefined> {
  const { folder, memoryLimit, threads } = options;
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(file, {
      memory_limit: memoryLimit,
      threads: String(threads),
      temp_directory: join(folder, 'spill'),
      // Nothing is ever loaded from elsewhere, and no query reads files.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // The order in which rows come is never asked for where none is given.
      preserve_insertion_order: 'false',
      // What is free goes back to the system soon, not only when something is asked.
      allocator_background_threads: 'true',
    });
  } catch (cause) {
    // What was about to be replayed is not damaged by a lack of room.
    if (noRoomOf(cause, options) === undefined && isUnreadable(cause)) return undefined;
    throw cause;
  }
  const database = databaseOf(instance, file);
  let isOfUse = false;
  try {
    isOfUse = await hasTables(await database.connect());
  } finally {
    if (!isOfUse) database.close();
  }
  return isOfUse ? database : undefined;
}

function databaseOf(instance: DuckDBInstance, file: string): Database {
  const connections: DuckDBConnection[] = [];
  const connect = async () => {
    const connection = await instance.connect();
    connections.push(connection);
    return connection;
  };
  return {
    connect,
    measureDisk: async () => {
      const connection = await instance.connect();
      // It cannot while it is out of room altogether; then there is a next time.
      await connection.run('reset global max_temp_directory_size').catch(() => undefined);
      connection.closeSync();
    },
    file,
    close: () => {
      // One that was left open would keep the file open as well.
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Creates the tables if there are none; returns whether they are of this version. */
async function hasTables(connection: DuckDBConnection): Promise<boolean> {
  const made = await rowsOf(connection, "select 1 from information_schema.tables where table_name = 'about'");
  if (made.length === 0) {
    await connection.run(
      `begin transaction; ${tables}; insert into about values (${schemaRevision}); commit`,
    );
  }
  const [row] = await rowsOf(connection, 'select revision from about');
  connection.closeSync();
  return row?.['revision'] === schemaRevision;
}

/** What another version of the library wrote, or damage; but not a lock, a full disk or a missing permission. */
function isUnreadable(cause: unknown): boolean {
  return /not a valid DuckDB database|Serialization Error|version number|corrupt|checksum|WAL file/i.test(
    String(cause),
  );
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}

export type Row = Record<string, unknown>;

/**
 * Runs one statement and reads all of its rows as plain values: numbers, strings, booleans, arrays, null. Maps are arrays
 * of `{key, value}`; whole numbers of 64 bits are numbers.
 */
export async function rowsOf(
  connection: DuckDBConnection,
  sql: string,
  values?: readonly DuckDBValue[],
): Promise<Row[]> {
  const result = await connection.run(sql, values === undefined ? undefined : [...values]);
  const names = result.columnNames();
  const rows: Row[] = [];
  for (const chunk of await result.fetchAllChunks()) {
    const from = rows.length;
    // Each look at it is a call into the library.
    const { rowCount } = chunk;
    for (let row = 0; row < rowCount; row++) rows.push({});
    // Column by column, as they lie in memory.
    for (const [index, name] of names.entries()) {
      const vector = chunk.getColumnVector(index);
      for (let row = 0; row < rowCount; row++) {
        const found = rows[from + row];
        if (found !== undefined) found[name] = plain(vector.getItem(row));
      }
    }
  }
  return rows;
}

function plain(value: DuckDBValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items;
  if (value instanceof DuckDBMapValue) return value.entries;
  return value;
}
