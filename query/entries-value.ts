import { type DuckDBMapValue, mapValue } from '@duckdb/node-api';
import type { Entries } from './identity';

/** Converts key-value pairs to a DuckDB map value. */
export function entriesValue(entries: Entries): DuckDBMapValue {
  return mapValue(entries.map(([key, value]) => ({ key, value })));
}
