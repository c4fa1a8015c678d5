import { stringify } from 'csv-stringify/sync';
import { ownValue } from '../etl/own-value';
import type { AllocationAnswer, AllocationProperties, AssetAnswer, AssetRow } from '../query/answer';
import { derive } from '../query/derived';
import { guarded } from '../query/formula';
import { timeText } from '../query/notes';
import type { Span } from '../query/span';
import { allocationNumbers } from './allocation-numbers';
import { type AssetMember, assetMembers, type MemberValue } from './asset-json';
import type { Parts } from './json';
import { rounded } from './numbers';
import { summaryDecimals, summaryItem, summaryMembers } from './summary-json';

/** Content of a cell: a string, or a number that is already formatted. */
type Cell = string | { readonly number: string };

/** Number of rows that are formatted together, as one part of the CSV text. */
const batch = 500;

/** Formats a table as CSV: a header line, then one line per row. */
function* table(header: readonly string[], rows: Iterable<readonly Cell[]>): Parts {
  yield stringify([header.map(guarded)]);
  let lines: string[][] = [];
  for (const row of rows) {
    lines.push(row.map((cell) => (typeof cell === 'string' ? guarded(cell) : cell.number)));
    if (lines.length < batch) continue;
    yield stringify(lines);
    lines = [];
  }
  if (lines.length > 0) yield stringify(lines);
}

/** Makes a cell from the JSON text of a number. NaN and infinity, which are `null` in JSON, become an empty cell. */
function numberCell(json: string): Cell {
  return { number: json === 'null' ? '' : json };
}

function* rowsOf<T>(
  sets: readonly { readonly window: Span; readonly rows: readonly T[] }[],
): Iterable<[Span, T]> {
  for (const { window, rows } of sets) for (const row of rows) yield [window, row];
}

const properties = [
  'cluster',
  'node',
  'namespace',
  'controllerKind',
  'controller',
  'pod',
  'container',
  'providerID',
] as const satisfies readonly (keyof AllocationProperties)[];

/** Formats allocations as CSV: one row for each allocation in each set. Each requested label has a column. */
export function allocationCsv({ sets }: AllocationAnswer, labels: readonly string[]): Parts {
  const header = [
    'window_start',
    'window_end',
    'name',
    ...properties,
    ...labels.map((key) => `label:${key}`),
    'start',
    'end',
    'minutes',
    ...allocationNumbers,
  ];
  const lines = function* (): Iterable<Cell[]> {
    for (const [window, row] of rowsOf(sets)) {
      const derived = derive(row);
      const values = { ...row, ...derived };
      yield [
        timeText(window.start),
        timeText(window.end),
        row.name,
        ...properties.map((name) => row.properties[name] ?? ''),
        ...labels.map((key) => ownValue(row.properties.labels, key) ?? ''),
        timeText(row.start),
        timeText(row.end),
        numberCell(rounded(derived.minutes, 5)),
        ...allocationNumbers.map((name) => numberCell(rounded(values[name], 5))),
      ];
    }
  };
  return table(header, lines());
}

/**
 * Formats a summary as CSV: one row for each item in each set. If `adjusted` is true, costs include their adjustments.
 */
export function summaryCsv({ sets }: AllocationAnswer, adjusted: boolean): Parts {
  const lines = function* (): Iterable<Cell[]> {
    for (const [window, row] of rowsOf(sets)) {
      const item = summaryItem(row, adjusted);
      yield [
        timeText(window.start),
        timeText(window.end),
        ...summaryMembers.map((name): Cell => {
          const value = item[name] ?? '';
          return typeof value === 'number' ? numberCell(rounded(value, summaryDecimals)) : value;
        }),
      ];
    }
  };
  return table(['window_start', 'window_end', ...summaryMembers], lines());
}

const assetProperties = [
  'category',
  'provider',
  'account',
  'project',
  'service',
  'cluster',
  'name',
  'providerID',
] as const;

/**
 * For each member of any asset type: whether the CSV has a column for it. The members are in the order of the columns.
 * Members whose values are objects have no column.
 */
const assetMemberColumns = {
  minutes: 'column',
  nodeType: 'column',
  pool: 'column',
  cpuCores: 'column',
  ramBytes: 'column',
  cpuCoreHours: 'column',
  ramByteHours: 'column',
  GPUHours: 'column',
  gpuCount: 'column',
  preemptible: 'column',
  discount: 'column',
  cpuCost: 'column',
  gpuCost: 'column',
  ramCost: 'column',
  bytes: 'column',
  byteHours: 'column',
  byteHoursUsed: 'column',
  byteUsageMax: 'column',
  storageClass: 'column',
  volumeName: 'column',
  claimName: 'column',
  claimNamespace: 'column',
  private: 'column',
  ip: 'column',
  credit: 'column',
  adjustment: 'column',
  totalCost: 'column',
  cpuBreakdown: 'no column',
  ramBreakdown: 'no column',
  breakdown: 'no column',
  overhead: 'no column',
} as const satisfies Record<AssetMember, 'column' | 'no column'>;

/** Names of the members that have a column. If an asset does not have a member, its row has an empty cell. */
const assetColumns = (Object.keys(assetMemberColumns) as AssetMember[]).filter(
  (name) => assetMemberColumns[name] === 'column',
);

/** Formats assets as CSV: one row for each asset in each set. Each requested label has a column. */
export function assetCsv({ sets }: AssetAnswer, labels: readonly string[]): Parts {
  const header = [
    'window_start',
    'window_end',
    'key',
    'type',
    ...assetProperties,
    ...labels.map((key) => `label:${key}`),
    'start',
    'end',
    ...assetColumns,
  ];
  const lines = function* (): Iterable<Cell[]> {
    for (const [window, row] of rowsOf<AssetRow>(sets)) {
      const members = new Map(assetMembers(row));
      yield [
        timeText(window.start),
        timeText(window.end),
        row.key,
        row.type === 'Any' ? '' : row.type,
        ...assetProperties.map((name) => row.properties[name] ?? ''),
        ...labels.map((key) => ownValue(row.labels, key) ?? ''),
        timeText(row.start),
        timeText(row.end),
        ...assetColumns.map((name) => memberCell(members.get(name))),
      ];
    }
  };
  return table(header, lines());
}

function memberCell(value: MemberValue | undefined): Cell {
  if (typeof value === 'number') return numberCell(rounded(value, 6));
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}
