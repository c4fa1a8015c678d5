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
import { type DatabaseRoom, noRoomOf } from './no-room';
import { schemaRevision, tables } from './schema';

export interface DatabaseOptions extends DatabaseRoom {
  readonly threads: number;
}

/** An open database. Only one process can open it at a time. */
export interface Database {
  /** Opens a connection, which the caller has to close. Its transactions see what was committed when they began. */
  connect(): Promise<DuckDBConnection>;
  /** Updates how much DuckDB may spill to disk, as the free space changes. By itself DuckDB measures it only once. */
  measureDisk(): Promise<void>;
  readonly file: string;
  /** Closes the database and its connections. */
  close(): void;
}

/**
 * Opens or creates the database of a folder. It is a cache of the ETL files, so a database with another schema, or one
 * that cannot be read, is deleted. Throws QUERY_NO_ROOM, or QUERY_DATABASE_UNUSABLE if it is in use or not writable.
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
    const recreated = await tryOpen(file, options);
    if (recreated !== undefined) return recreated;
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

/** Opens or creates a database file. Returns undefined if the file exists but is unreadable or has another schema. */
async function tryOpen(file: string, options: DatabaseOptions): Promise<Database | undefined> {
  const { folder, memoryLimit, threads } = options;
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(file, {
      memory_limit: memoryLimit,
      threads: String(threads),
      temp_directory: join(folder, 'spill'),
      // Never download an extension. None is needed, because no query reads files.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // DuckDB need not keep the order of rows: statements that rely on an order have `order by`.
      preserve_insertion_order: 'false',
      // Return free memory to the system soon, not only with the next query.
      allocator_background_threads: 'true',
    });
  } catch (cause) {
    // If only memory or disk space ran out, the file is intact, even if the error mentions the write-ahead log.
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
      // Ignore errors: this fails while the disk is completely full, and a later call tries again.
      await connection.run('reset global max_temp_directory_size').catch(() => undefined);
      connection.closeSync();
    },
    file,
    close: () => {
      // The file would stay open as long as one of its connections is open.
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Creates the tables if the database has none. Returns whether its tables have the current schema. */
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

/**
 * Returns whether an error means that the file is damaged or of another DuckDB version. For other reasons (it is
 * locked, the disk is full, access is denied) the file must not be deleted.
 */
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
 * Runs a statement and reads all rows as plain values: numbers, strings, booleans, arrays, null. Maps become arrays of
 * `{key, value}`, 64-bit integers become numbers.
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
    // Read the row count only once: every access is a native call.
    const { rowCount } = chunk;
    for (let row = 0; row < rowCount; row++) rows.push({});
    // Fill the rows column by column: this is the order of the values in memory.
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
