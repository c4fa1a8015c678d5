import { type DuckDBMapValue, mapValue } from '@duckdb/node-api';
import type { Entries } from './identity';

/** The database's form of a map of texts. */
export function entriesValue(entries: Entries): DuckDBMapValue {
  return mapValue(entries.map(([key, value]) => ({ key, value })));
}
