import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import type { Pipeline, WindowRef } from '../etl/window';
import { assetCost } from './asset-cost';
import { type AssetField, storedFields } from './asset-fields';
import { costMeasures } from './cost';
import { rowsOf } from './database';
import type { ExportFormat } from './export-formats';
import { formulaStart } from './formula';
import { measureFacts, money, storedMeasures } from './measures';
import { interruptOn } from './statements';

/**
 * Version of the columns of an export. It is part of the paths of exported files. Increase it whenever the columns
 * change, even if a column is only added: some engines reject a table whose files have different columns. The columns
 * are documented in `docs/reference/export-schema.md`.
 */
export const exportVersion = 1;

type ExportType = 'TIMESTAMP' | 'VARCHAR' | 'VARCHAR[]' | 'MAP(VARCHAR, VARCHAR)' | 'DOUBLE' | 'BOOLEAN';

/** A column of an export, with its documentation. */
export interface ExportColumn {
  readonly name: string;
  /** Type of the column when DuckDB reads an exported Parquet file. */
  readonly type: ExportType;
  /** Unit of the values. Empty if they have no unit. */
  readonly unit: string;
  readonly meaning: string;
}

interface Column extends ExportColumn {
  /** SQL that computes the value from the tables of the database. */
  readonly sql: string;
}

/**
 * The first and the last time that all query engines support, in unix seconds: the start of the year 1 and the end of
 * the year 9999.
 */
const [firstSecond, lastSecond] = [-62_135_596_800, 253_402_300_799];

function timestamp(name: string, seconds: string, meaning: string): Column {
  // Times outside the years 1 to 9999 become null, because some query engines do not support them.
  const sql = `case when ${seconds} between ${firstSecond} and ${lastSecond} then make_timestamp(cast(${seconds} * 1000000 as bigint)) end`;
  return { name, type: 'TIMESTAMP', unit: 'UTC', meaning, sql };
}

function text(name: string, sql: string, meaning: string): Column {
  return { name, type: 'VARCHAR', unit: '', meaning, sql };
}

function textMap(name: string, sql: string, meaning: string): Column {
  return { name, type: 'MAP(VARCHAR, VARCHAR)', unit: '', meaning, sql };
}

function number(name: string, sql: string, unit: string, meaning: string): Column {
  return { name, type: 'DOUBLE', unit, meaning, sql };
}

/** Defines a column that is null if the value was not measured or is not finite. */
function measured(name: string, sql: string, unit: string, meaning: string): Column {
  return number(name, `case when isfinite(${sql}) then ${sql} end`, unit, meaning);
}

function flag(name: string, sql: string, meaning: string): Column {
  return { name, type: 'BOOLEAN', unit: '', meaning, sql };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const ofWindow: readonly Column[] = [
  timestamp('window_start', 'f.window_start', 'the start of the window'),
  timestamp('window_end', 'f.window_end', 'the end of the window, exclusive'),
];

function timesOf(table: string): readonly Column[] {
  return [
    timestamp('start_time', `${table}.start_at`, 'when it began, within the window'),
    timestamp('end_time', `${table}.end_at`, 'when it ended, within the window'),
    number(
      'minutes',
      `(${table}.end_at - ${table}.start_at) / 60`,
      'minutes',
      'from `start_time` to `end_time`: the weight of averages',
    ),
  ];
}

const allocationColumns: readonly Column[] = [
  ...ofWindow,
  text('cluster', 'i.cluster_name', 'the cluster, as the allocation itself names it'),
  text('node', 'i.node', 'the node that it ran on'),
  text('namespace', 'i.namespace', 'the namespace'),
  text(
    'controller_kind',
    'i.controller_kind',
    '`deployment`, `statefulset`, `daemonset`, `job`, …; empty without one',
  ),
  text('controller', 'i.controller', 'the name of the controller; empty without one'),
  text('pod', 'i.pod', 'the pod'),
  text('container', 'i.container', 'the container; `__unmounted__` where `unmounted` is true'),
  text('provider_id', 'i.provider_id', "the provider's ID of the node"),
  {
    name: 'services',
    type: 'VARCHAR[]',
    unit: '',
    meaning: 'the services in front of the pod',
    sql: 'i.services',
  },
  textMap('labels', 'i.labels', 'labels of the pod, and those of the namespace that its cluster added'),
  textMap('annotations', 'i.annotations', 'annotations, likewise'),
  textMap('namespace_labels', 'i.namespace_labels', 'labels of the namespace'),
  textMap('namespace_annotations', 'i.namespace_annotations', 'annotations of the namespace'),
  ...timesOf('a'),
  flag(
    'unmounted',
    'not i.plain',
    'true for volumes and load balancers that no pod uses: they have costs, but no workload',
  ),
  number(
    'total_cost',
    costMeasures.map((measure) => `a."${measure}"`).join(' + '),
    money,
    'all costs of the row, adjustments included',
  ),
  ...storedMeasures.map((measure) => {
    const { unit, meaning } = measureFacts[measure];
    return number(snakeCase(measure), `a."${measure}"`, unit, meaning);
  }),
  number('cpu_max', 'a.cpu_max', 'cores', 'its peak CPU usage; null where it was not measured'),
  measured('ram_max', 'a.ram_max', 'bytes', 'its peak memory usage; null likewise'),
  measured('gpu_max', 'a.gpu_max', 'share', 'its peak GPU usage; null likewise'),
];

const breakdown = ['idle', 'other', 'system', 'user'] as const;

function breakdownOf(column: string, of: string): readonly Column[] {
  return breakdown.map((part, index) =>
    number(
      `${column}_${part}`,
      `a.${column}[${index + 1}]`,
      'share',
      `of ${of}: the share that was \`${part}\``,
    ),
  );
}

function overheadOf(column: string): readonly Column[] {
  return [
    number(
      'overhead_cpu',
      `a.${column}[1]`,
      'share',
      'of nodes: CPU not available to workloads; null where it is not known',
    ),
    number(
      'overhead_ram',
      `a.${column}[2]`,
      'share',
      'of nodes: memory not available to workloads; null likewise',
    ),
    number('overhead_cost', `a.${column}[3]`, 'share', 'of nodes: the cost of both; null likewise'),
  ];
}

/**
 * Returns the export columns for a stored field of assets. In rows of asset types that do not have the field, the
 * columns are null. There is one exception: a cost column that several asset types share is 0 in these rows.
 */
function ofField({ name, sql, unit, meaning }: AssetField): readonly Column[] {
  const value = `a.${name}`;
  switch (sql) {
    case 'varchar':
      return [text(name, value, meaning)];
    case 'boolean':
      return [flag(name, value, meaning)];
    case 'double[4]':
      return breakdownOf(name, meaning);
    case 'double[3]':
      return overheadOf(name);
    case 'double':
    case 'double not null':
      return [number(name, value, unit, meaning)];
  }
}

const assetColumns: readonly Column[] = [
  ...ofWindow,
  text('cluster', 'a.cluster_name', 'the cluster, as the asset itself names it'),
  text(
    'type',
    'a.type',
    '`Node`, `Disk`, `LoadBalancer`, `Network`, `ClusterManagement`, `Cloud`, `Shared` or `Any`',
  ),
  text('category', 'a.category', '`Compute`, `Storage`, `Network`, `Management`, …'),
  text('provider', 'a.provider', 'the provider, such as `AWS`'),
  text('account', 'a.account', "the provider's account"),
  text('project', 'a.project', "the provider's project"),
  text('service', 'a.service', "the provider's service"),
  text('name', 'a.name', 'the name of the asset'),
  text('provider_id', 'a.provider_id', "the provider's ID of the asset"),
  textMap('labels', 'a.labels', 'its labels'),
  ...timesOf('a'),
  number('total_cost', assetCost, money, 'its total cost: discount, adjustment and credit included'),
  ...storedFields.flatMap(ofField),
];

interface Table {
  readonly columns: readonly Column[];
  readonly from: string;
  /**
   * The order of the rows, as SQL. Rows that are often queried together are next to each other. The order is always the
   * same, so repeated exports of a window produce identical files.
   */
  readonly order: string;
}

const exported: Record<Pipeline, Table> = {
  allocations: {
    columns: allocationColumns,
    from: 'allocation a join file f on f.id = a.file join identity i on i.id = a.identity',
    order: 'i.cluster_name, i.namespace, i.pod, i.container, i.node, a.start_at, i.hash',
  },
  assets: {
    columns: assetColumns,
    from: 'asset a join file f on f.id = a.file',
    order: 'a.cluster_name, a.type, a.name, a.provider_id, a.start_at',
  },
};

/** The schema of an export, with its documentation. This is the content of `schema.json`. */
export interface ExportSchema {
  readonly version: number;
  /** Columns whose values are not in the files but in their paths, as folders named `<name>=<value>`. */
  readonly partitions: readonly (Omit<ExportColumn, 'type'> & { readonly type: 'VARCHAR' | 'DATE' })[];
  readonly tables: Readonly<Record<Pipeline, readonly ExportColumn[]>>;
}

export const exportSchema: ExportSchema = {
  version: exportVersion,
  partitions: [
    {
      name: 'resolution',
      type: 'VARCHAR',
      unit: '',
      meaning: 'the length of the window: `1d`, `1h`. Each resolution has all costs, so select one',
    },
    { name: 'day', type: 'DATE', unit: 'UTC', meaning: 'the day on which the window starts' },
  ],
  tables: { allocations: promised(allocationColumns), assets: promised(assetColumns) },
};

function promised(columns: readonly Column[]): ExportColumn[] {
  return columns.map(({ name, type, unit, meaning }) => ({ name, type, unit, meaning }));
}

/** A window file that can be exported. Pass its `id` to `exportWindow`. */
export interface ServedWindow extends WindowRef {
  readonly id: number;
  readonly digest: string;
}

/** Returns the window files that can be exported, as seen by the connection's transaction. Sorted by time. */
export async function servedWindows(connection: DuckDBConnection): Promise<ServedWindow[]> {
  const rows = await rowsOf(
    connection,
    'select * from file where id in (select file from served) order by window_start, pipeline, resolution',
  );
  return rows.map((row) => ({
    id: Number(row['id']),
    pipeline: row['pipeline'] as Pipeline,
    resolution: String(row['resolution']),
    window: { start: Number(row['window_start']), end: Number(row['window_end']) },
    digest: String(row['digest']),
  }));
}

const copyOptions: Record<ExportFormat, string> = {
  parquet: 'format parquet, compression zstd',
  csv: 'format csv, header true, compression gzip',
};

/**
 * Exports one window from the database to a local file. Returns the number of rows, or undefined if the database no
 * longer has the window. If `signal` is aborted, the export is interrupted. If this function throws, the file may be
 * incomplete.
 */
export async function exportWindow(
  connection: DuckDBConnection,
  file: number,
  format: ExportFormat,
  path: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const [known] = await rowsOf(connection, 'select pipeline from file where id = $1', [file]);
  if (known === undefined) return undefined;
  signal?.throwIfAborted();
  const { columns, from, order } = exported[known['pipeline'] as Pipeline];
  const select = columns.map((column) => `${valueOf(column, format)} as "${column.name}"`).join(',\n  ');
  const leave = interruptOn(connection, signal);
  try {
    const { rowsChanged } = await connection.run(
      `copy (select ${select}\nfrom ${from} where a.file = $1 order by ${order}) to ${quoted(path)} (${copyOptions[format]})`,
      [file],
    );
    signal?.throwIfAborted();
    return rowsChanged;
  } catch (cause) {
    signal?.throwIfAborted();
    throw unwritten(path, cause);
  } finally {
    leave();
  }
}

/**
 * Returns SQL for the value of a column in an export format. CSV supports neither lists nor maps, so they are written
 * as JSON. In CSV, a text that a spreadsheet would take for a formula begins with an apostrophe.
 */
function valueOf({ sql, type }: Column, format: ExportFormat): string {
  const isNested = type === 'VARCHAR[]' || type === 'MAP(VARCHAR, VARCHAR)';
  if (format !== 'csv') return sql;
  if (isNested) return `to_json(${sql})`;
  return type === 'VARCHAR'
    ? `case when regexp_matches(${sql}, ${quoted(formulaStart.source)}) then '''' || ${sql} else ${sql} end`
    : sql;
}

/** Converts a string to an SQL literal. Needed because the path in a COPY statement cannot be a parameter. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function unwritten(path: string, cause: unknown): unknown {
  const [said] = /\b(IO|Out of Memory) Error: .*/.exec(String(cause)) ?? [];
  if (said === undefined) return cause;
  return new FederationError('QUERY_DATABASE_UNUSABLE', {
    subject: { key: path },
    detail: `A window cannot be written: ${said}`,
    hint: 'Free space there, or set TMPDIR to a folder with space; each window is written there before it is moved to its destination.',
    cause,
  });
}
