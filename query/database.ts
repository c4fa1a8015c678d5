import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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
import { makeFolder } from '../storage/make-folder';
import { type DatabaseRoom, noRoomOf } from './no-room';
import { schemaRevision, tables } from './schema';
import { paceOf, type Statements } from './statements';

export interface DatabaseOptions extends DatabaseRoom {
  readonly threads: number;
}

/** An open database. Only one process can open it at a time. */
export interface Database {
  /** Opens a connection. Its transactions see the data that was committed when they began. */
  connect(): Promise<DuckDBConnection>;
  /** Closes a connection. */
  disconnect(connection: DuckDBConnection): void;
  /**
   * Updates the limit for data that DuckDB spills to disk. The limit depends on the free disk space, which DuckDB
   * itself measures only once.
   */
  measureDisk(): Promise<void>;
  readonly file: string;
  /** True if the database was opened for reading only, because its volume is read-only. */
  readonly isReadOnly: boolean;
  /** Closes the database and all of its connections. */
  close(): void;
}

/**
 * Opens the database in a folder, or creates it. The database is only a cache of the ETL files, so it is deleted and
 * created again if it cannot be read or has a different schema. On a read-only volume, an existing database is opened
 * for reading only. Throws QUERY_NO_ROOM if memory or disk space runs out.
 * Throws QUERY_DATABASE_UNUSABLE if the database is in use or not writable.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { folder } = options;
  const file = join(folder, 'query.duckdb');
  try {
    await makeFolder(folder);
    const opened = await tryOpen(file, options);
    if (opened !== undefined) return opened;
    await rm(file, { force: true });
    await rm(`${file}.wal`, { force: true });
    const recreated = await tryOpen(file, options);
    if (recreated !== undefined) return recreated;
  } catch (cause) {
    const opened = isRefused(cause) ? await tryOpen(file, options, true).catch(() => undefined) : undefined;
    if (opened !== undefined) return opened;
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

/**
 * Opens a database file, or creates it. Returns undefined if the file exists but is unreadable or has a different
 * schema.
 */
async function tryOpen(
  file: string,
  options: DatabaseOptions,
  isReadOnly = false,
): Promise<Database | undefined> {
  const { folder, memoryLimit, threads } = options;
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(file, {
      memory_limit: memoryLimit,
      threads: String(threads),
      temp_directory: isReadOnly
        ? join(tmpdir(), `federated-etl-spill-${process.pid}`)
        : join(folder, 'spill'),
      ...(isReadOnly && { access_mode: 'READ_ONLY' }),
      // Prevent DuckDB from downloading extensions. No query needs one, because queries do not read files.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // Allow DuckDB to change the order of rows. Statements that need a certain order have an `order by` clause.
      preserve_insertion_order: 'false',
      // Return unused memory to the operating system soon. By default, DuckDB does this only during the next query.
      allocator_background_threads: 'true',
    });
  } catch (cause) {
    // Keep the file if memory or disk space ran out: it is intact, even if the error mentions the write-ahead log.
    if (noRoomOf(cause, options) === undefined && isUnreadable(cause)) return undefined;
    throw cause;
  }
  const database = databaseOf(instance, file, isReadOnly);
  let isOfUse = false;
  try {
    isOfUse = await hasTables(await database.connect());
  } finally {
    if (!isOfUse) database.close();
  }
  return isOfUse ? database : undefined;
}

function databaseOf(instance: DuckDBInstance, file: string, isReadOnly: boolean): Database {
  const connections = new Set<DuckDBConnection>();
  const connect = async () => {
    const connection = await instance.connect();
    connections.add(connection);
    return connection;
  };
  return {
    connect,
    disconnect: (connection) => {
      if (connections.delete(connection)) connection.closeSync();
    },
    measureDisk: async () => {
      const connection = await instance.connect();
      // Ignore errors: the statement fails while the disk is completely full. The next call tries again.
      await connection.run('reset global max_temp_directory_size').catch(() => undefined);
      connection.closeSync();
    },
    file,
    isReadOnly,
    close: () => {
      // Close the connections first. The file would stay open as long as one of them is open.
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * Creates the tables if the database has none. Then returns whether the tables have the current schema. Closes the
 * connection.
 */
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
 * Returns whether an error means that the file is damaged or was written by a different version of DuckDB. After any
 * other error (such as a locked file, a full disk or denied access), the file must not be deleted.
 */
function isUnreadable(cause: unknown): boolean {
  return /not a valid DuckDB database|Serialization Error|version number|corrupt|checksum|WAL file/i.test(
    String(cause),
  );
}

/** Returns whether an error means that the volume is read-only, or that this process may not write to it. */
function isRefused(cause: unknown): boolean {
  return /Read-only file system|Permission denied|EROFS|EACCES/i.test(String(cause));
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
}

export type Row = Record<string, unknown>;

/**
 * Runs a statement and returns all rows as plain values: numbers, strings, booleans, arrays and null. 64-bit integers
 * become numbers. Maps become arrays of `{key, value}`.
 */
export async function rowsOf(
  statements: Statements,
  sql: string,
  values?: readonly DuckDBValue[],
): Promise<Row[]> {
  return mapRows(statements, sql, values, (row) => row);
}

/**
 * Runs a statement and returns what `read` makes of each row. Of the rows themselves, only a few thousand are in memory
 * at once, unless `read` keeps them. Pauses often, because there may be hundreds of thousands of rows.
 */
export async function mapRows<T>(
  statements: Statements,
  sql: string,
  values: readonly DuckDBValue[] | undefined,
  read: (row: Row) => T,
): Promise<T[]> {
  const pace = paceOf(statements);
  const result = await statements.run(sql, values === undefined ? undefined : [...values]);
  const names = result.columnNames();
  const found: T[] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return found;
    const rows: Row[] = Array.from({ length: chunk.rowCount }, () => ({}));
    // Copy the values column by column, because this is their order in memory.
    for (const [index, name] of names.entries()) {
      const vector = chunk.getColumnVector(index);
      let bytes = 0;
      for (const [at, row] of rows.entries()) {
        const value = plain(vector.getItem(at));
        row[name] = value;
        bytes += sizeOf(value);
      }
      statements.use?.(bytes);
      if (pace.isDue()) await pace.pause();
    }
    for (const row of rows) found.push(read(row));
    if (pace.isDue()) await pace.pause();
  }
}

/** Bytes that a number takes as a member of an object, or a reference and the header of another value. */
const valueBytes = 24;

/** Returns about how many bytes of memory a plain value takes. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return valueBytes + value.length;
  if (typeof value !== 'object' || value === null) return valueBytes;
  let bytes = valueBytes;
  for (const one of Object.values(value)) bytes += sizeOf(one);
  return bytes;
}

function plain(value: DuckDBValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items;
  if (value instanceof DuckDBMapValue) return value.entries;
  return value;
}
