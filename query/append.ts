import {
  DuckDBDoubleVector,
  DuckDBIntegerVector,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api';

/** The values of a column by row: numbers of a column of numbers, or whatever a function gives. */
export type Column = ArrayLike<number> | ((row: number) => DuckDBValue);

/** Fills a vector of a chunk with `count` values of a column, from row `from` on. */
export function fillVector(vector: DuckDBVector, column: Column, from: number, count: number): void {
  if (typeof column === 'function') {
    for (let row = 0; row < count; row++) vector.setItem(row, column(from + row));
  } else if (vector instanceof DuckDBDoubleVector) {
    fillDoubles(vector, column, from, count);
  } else if (vector instanceof DuckDBIntegerVector) {
    fillIntegers(vector, column, from, count);
  } else throw new TypeError('The column has other values than the table.');
  vector.flush();
}

// Most of what is appended are numbers. In functions of their own, as these see one kind of vector and are fast by it.

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
