import { setImmediate } from 'node:timers/promises';
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDoubleVector,
  DuckDBIntegerVector,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api';
import { ownValue } from '../etl/own-value';
import { rowsOf } from './database';

/** The values of a column: an array with one number per row, or a function that returns the value for a row index. */
export type Column = ArrayLike<number> | ((row: number) => DuckDBValue);

/** Maximum number of rows in a DuckDB data chunk. */
const rowsPerChunk = 2_048;

/** Appends rows to database tables through one connection. The caller passes the values column by column. */
export class Appender {
  /**
   * One data chunk per table. It is reused for all rows of the table, because the garbage collector would be slow to
   * free the native memory of discarded chunks.
   */
  private readonly chunks = new Map<string, DuckDBDataChunk>();
  /** The open DuckDB appenders, by table. They stay open until the end of the transaction. */
  private readonly appenders = new Map<string, DuckDBAppender>();

  private constructor(
    private readonly connection: DuckDBConnection,
    /** The column names of each table, in table order. */
    private readonly columnNames: ReadonlyMap<string, readonly string[]>,
  ) {}

  static async open(connection: DuckDBConnection): Promise<Appender> {
    const rows = await rowsOf(
      connection,
      'select table_name, column_name from duckdb_columns() where not internal order by table_name, column_index',
    );
    const byTable = Map.groupBy(rows, (row) => String(row['table_name']));
    const names = [...byTable].map(
      ([table, columns]) => [table, columns.map((row) => String(row['column_name']))] as const,
    );
    return new Appender(connection, new Map(names));
  }

  /**
   * Appends rows to a table. Some rows may not be stored until `finish` is called. Yields to the event loop between
   * chunks.
   *
   * @param columns the values of each column, by column name. The names must be exactly the columns of the table.
   */
  async append(
    table: string,
    rows: number,
    columns: Readonly<Record<string, Column>>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (rows === 0) return;
    const ordered = this.inTableOrder(table, columns);
    const appender = this.appenders.get(table) ?? (await this.connection.createAppender(table));
    this.appenders.set(table, appender);
    const chunk = this.chunkOf(table, appender);
    for (let from = 0; from < rows; from += rowsPerChunk) {
      const count = Math.min(rowsPerChunk, rows - from);
      chunk.reset();
      chunk.rowCount = count;
      for (const [index, column] of ordered.entries())
        fillVector(chunk.getColumnVector(index), column, from, count);
      appender.appendDataChunk(chunk);
      await setImmediate();
      signal?.throwIfAborted();
    }
    // By default, DuckDB buffers about 200,000 rows. Identities have long texts, so the buffer would take too much
    // memory.
    if (table === 'identity') appender.flushSync();
  }

  /** Stores all appended rows that are still buffered, and closes the appenders. */
  finish(): void {
    for (const [table, appender] of this.appenders) {
      this.appenders.delete(table);
      appender.closeSync();
    }
  }

  /**
   * Discards the appended rows that are still buffered. Otherwise, an appender would store these rows when it is
   * garbage-collected, which may happen outside of the transaction.
   */
  forget(): void {
    for (const appender of this.appenders.values()) {
      try {
        appender.clear();
        appender.closeSync();
      } catch {
        // Ignore the error: an appender that has failed before has no rows left to store.
      }
    }
    this.appenders.clear();
  }

  private inTableOrder(table: string, columns: Readonly<Record<string, Column>>): Column[] {
    const names = this.columnNames.get(table) ?? [];
    const ordered = names.map((name) => ownValue(columns, name)).filter((column) => column !== undefined);
    if (ordered.length !== names.length || Object.keys(columns).length !== names.length)
      throw new TypeError(`The columns are not those of the table ${table}: ${names.join(', ')}.`);
    return ordered;
  }

  private chunkOf(table: string, appender: DuckDBAppender): DuckDBDataChunk {
    const known = this.chunks.get(table);
    if (known !== undefined) return known;
    const types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
    const chunk = DuckDBDataChunk.create(types, rowsPerChunk);
    this.chunks.set(table, chunk);
    return chunk;
  }
}

/** Fills a vector of a data chunk with `count` values of a column, starting with the value of row `from`. */
function fillVector(vector: DuckDBVector, column: Column, from: number, count: number): void {
  if (typeof column === 'function') {
    for (let row = 0; row < count; row++) vector.setItem(row, column(from + row));
  } else if (vector instanceof DuckDBDoubleVector) {
    fillDoubles(vector, column, from, count);
  } else if (vector instanceof DuckDBIntegerVector) {
    fillIntegers(vector, column, from, count);
  } else throw new TypeError('The values are numbers, but the type of the column is not.');
  vector.flush();
}

// Most appended values are numbers. For speed, each of the two functions below handles only one class of vector.

function fillDoubles(
  vector: DuckDBDoubleVector,
  column: ArrayLike<number>,
  from: number,
  count: number,
): void {
  for (let row = 0; row < count; row++) vector.setItem(row, column[from + row] ?? 0);
}

function fillIntegers(
  vector: DuckDBIntegerVector,
  column: ArrayLike<number>,
  from: number,
  count: number,
): void {
  for (let row = 0; row < count; row++) vector.setItem(row, column[from + row] ?? 0);
}
