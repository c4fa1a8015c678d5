import { type SourceOptions, sourceTables } from './allocation-source';
import { type Row, rowsOf } from './database';
import type { FoundRow } from './found-row';
import { Bindings } from './sql';
import { paceOf, type Statements } from './statements';

/**
 * Reads the volumes, load balancers or GPUs of the allocations in a query. They are grouped by period (result set), by
 * key (name of the row in the query result) and by the columns in `groups`.
 */
export async function besideRows(
  statements: Statements,
  source: SourceOptions,
  columns: string,
  groups: readonly string[] = [],
): Promise<Row[]> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const by = ['period', 'key', ...groups].join(', ');
  return rowsOf(
    statements,
    `${tables} select ${by}, ${columns} from source where kept and not shared group by ${by}`,
    bindings.values,
  );
}

/**
 * Returns a function that finds the row of the query result to which a database row belongs. The database row must have
 * the columns `period` and `key`.
 */
export async function rowFinder(
  statements: Statements,
  rows: readonly FoundRow[],
): Promise<(beside: Row) => FoundRow | undefined> {
  const byKey = new Map<string, FoundRow>();
  await paceOf(statements).forEach(rows, (row) => byKey.set(`${row.period} ${row.name}`, row));
  return (beside) => byKey.get(`${String(beside['period'])} ${String(beside['key'])}`);
}
