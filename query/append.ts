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
import { rowsOf } from './database';

/** The values of a column: an array of numbers, one per row, or a function that returns the value of a row. */
export type Column = ArrayLike<number> | ((row: number) => DuckDBValue);

/** The largest number of rows that a DuckDB chunk holds. */
const rowsPerChunk = 2_048;

/** Appends rows to the tables of one connection, column by column. */
export class Appender {
  /**
   * One chunk per table, reused for all of its rows: the garbage collector would be slow to free the native memory of
   * discarded chunks.
   */
  private readonly chunks = new Map<string, DuckDBDataChunk>();
  /** Appenders by table. They stay open until the end of the transaction. */
  private readonly appenders = new Map<string, DuckDBAppender>();

  private constructor(
    private readonly connection: DuckDBConnection,
    /** Column names by table, in table order. */
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
   * Appends rows to a table. They are all stored there only after `finish`. Yields to the event loop between chunks.
   *
   * @param columns the values of each column of the table, by column name; no other columns are allowed
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
    // An appender keeps about 200,000 rows in memory before it stores them. Identities have long texts, so that many of
    // them would take too much memory.
    if (table === 'identity') appender.flushSync();
  }

  /** Stores all appended rows in their tables. */
  finish(): void {
    for (const [table, appender] of this.appenders) {
      this.appenders.delete(table);
      appender.closeSync();
    }
  }

  /**
   * Drops the rows that are appended but not stored yet. Otherwise an appender would store them when it is
   * garbage-collected, outside of the transaction.
   */
  forget(): void {
    for (const appender of this.appenders.values()) {
      try {
        appender.clear();
        appender.closeSync();
      } catch {
        // Ignore the error: the appender has failed before, so it has no rows left.
      }
    }
    this.appenders.clear();
  }

  private inTableOrder(table: string, columns: Readonly<Record<string, Column>>): Column[] {
    const names = this.columnNames.get(table) ?? [];
    const ordered = names.map((name) => columns[name]).filter((column) => column !== undefined);
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

/** Fills a vector of a chunk with `count` values of a column, starting at row `from`. */
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

// Most appended values are numbers. Each of these functions handles only one kind of vector, which makes it fast.

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
