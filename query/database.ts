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
  /** Opens a connection; the caller closes it. Its transactions see what was committed when they began. */
  connect(): Promise<DuckDBConnection>;
  /** Measures again how much disk may be spilled to: DuckDB itself does so only once. */
  measureDisk(): Promise<void>;
  readonly file: string;
  /** Closes the database and its connections. */
  close(): void;
}

/**
 * Opens or creates the database of a folder. It is a cache of the ETL files: one with another schema, or one that cannot
 * be read, is deleted. Throws QUERY_NO_ROOM, and QUERY_DATABASE_UNUSABLE if it is in use or not writable.
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

/** Undefined if the existing file is unusable. */
async function tryOpen(file: string, options: DatabaseOptions): Promise<Database | undefined> {
  const { folder, memoryLimit, threads } = options;
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(file, {
      memory_limit: memoryLimit,
      threads: String(threads),
      temp_directory: join(folder, 'spill'),
      // No extension is ever downloaded, and no query reads files.
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // Nothing relies on the order of rows without `order by`.
      preserve_insertion_order: 'false',
      // Free memory returns to the system soon, not only with the next query.
      allocator_background_threads: 'true',
    });
  } catch (cause) {
    // A lack of room does not damage the write-ahead log.
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
      // Fails while there is no room at all; a later call tries again.
      await connection.run('reset global max_temp_directory_size').catch(() => undefined);
      connection.closeSync();
    },
    file,
    close: () => {
      // An open connection would keep the file open.
      for (const connection of connections) connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Creates the tables if there are none; returns whether their schema is the current one. */
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

/** Whether the file is damaged or of another DuckDB version, rather than locked, on a full disk or not permitted. */
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
    // Every access is a native call.
    const { rowCount } = chunk;
    for (let row = 0; row < rowCount; row++) rows.push({});
    // Column by column, as in memory.
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
