import { arrayValue, type DuckDBValue } from '@duckdb/node-api';
import { type AssetColumns, tableColumns } from './asset-columns';
import type { AssetValue } from './asset-fields';
import { entriesValue } from './entries-value';
import type { IngestConnection } from './ingest-connection';
import { notePeak } from './peaks';

/** Stores assets of a window file. Updates `peaks`, which contains the largest absolute value of each column. */
export async function fillAssets(
  into: IngestConnection,
  file: number,
  columns: AssetColumns,
  peaks: Map<string, number>,
  signal?: AbortSignal,
): Promise<void> {
  const clusters: number[] = [];
  for (const name of columns.clusters) clusters.push(await into.clusterNumber(name));
  const fields = tableColumns.map(({ name }, index) => [name, columns.values[index] ?? []] as const);
  for (const [column, values] of fields) {
    notePeak(
      peaks,
      column,
      values.flat().filter((value) => typeof value === 'number'),
    );
  }
  const read = (values: readonly AssetValue[]) => (row: number) => databaseValue(values[row] ?? null);
  await into.tables.append(
    'asset',
    columns.rows,
    {
      file: () => file,
      cluster: (row) => clusters[row] ?? 0,
      ...Object.fromEntries(fields.map(([column, values]) => [column, read(values)])),
    },
    signal,
  );
}

function databaseValue(value: AssetValue): DuckDBValue {
  if (!Array.isArray(value)) return value;
  const isMap = value.length === 0 || Array.isArray(value[0]);
  return isMap ? entriesValue(value as [string, string][]) : arrayValue(value as number[]);
}
