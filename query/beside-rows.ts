import type { DuckDBConnection } from '@duckdb/node-api';
import { type SourceOptions, sourceTables } from './allocation-source';
import { type Row, rowsOf } from './database';
import type { FoundRow } from './found-row';
import { Bindings } from './sql';

/**
 * Reads the volumes, load balancers or GPUs of a query's allocations, grouped by period, key of the answer's row, and
 * the columns in `groups`.
 */
export async function besideRows(
  connection: DuckDBConnection,
  source: SourceOptions,
  columns: string,
  groups: readonly string[] = [],
): Promise<Row[]> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const by = ['period', 'key', ...groups].join(', ');
  return rowsOf(
    connection,
    `${tables} select ${by}, ${columns} from source where kept and not shared group by ${by}`,
    bindings.values,
  );
}

/** Returns a function that takes a row from `besideRows` and finds the row of the answer that it belongs to. */
export function rowFinder(rows: readonly FoundRow[]): (beside: Row) => FoundRow | undefined {
  const byKey = new Map(rows.map((row) => [`${row.period} ${row.name}`, row]));
  return (beside) => byKey.get(`${String(beside['period'])} ${String(beside['key'])}`);
}
