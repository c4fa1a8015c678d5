import { type DuckDBMapValue, mapValue } from '@duckdb/node-api';
import type { Entries } from './identity';

/** Converts a map of texts to a DuckDB value. */
export function entriesValue(entries: Entries): DuckDBMapValue {
  return mapValue(entries.map(([key, value]) => ({ key, value })));
}
