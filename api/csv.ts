import { stringify } from 'csv-stringify/sync';
import type { AllocationAnswer, AllocationProperties, AssetAnswer } from '../query/answer';
import { timeText } from '../query/notes';
import { allocationNumbers } from './allocation-json';
import { derive } from './efficiency';
import { rounded } from './numbers';
import { summaryItem } from './summary-json';

type Cell = string | number | null;

/** What a spreadsheet takes for a formula begins with one of these; with an apostrophe in front it is a text. */
function guarded(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === 'string' ? guarded(cell) : (cell ?? ''))),
  );
  return stringify([header.map(guarded), ...cells]);
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

/** Allocations: a row for each set and name; with columns for the labels that are asked for. */
export function allocationCsv({ sets }: AllocationAnswer, labels: readonly string[]): string {
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
  const rows = sets.flatMap(({ window, rows: ofSet }) =>
    ofSet.map((row): Cell[] => {
      const derived = derive(row);
      const values = { ...row, ...derived };
      return [
        timeText(window.start),
        timeText(window.end),
        row.name,
        ...properties.map((name) => row.properties[name] ?? ''),
        ...labels.map((key) => row.properties.labels?.[key] ?? ''),
        timeText(row.start),
        timeText(row.end),
        Number(rounded(derived.minutes, 5)),
        ...allocationNumbers.map((name) => cell(values[name], 5)),
      ];
    }),
  );
  return table(header, rows);
}

/** A summary: a row for each set and name. */
export function summaryCsv({ sets }: AllocationAnswer, adjusted: boolean): string {
  const items = sets.flatMap(({ window, rows }) =>
    rows.map((row) => ({ window, item: summaryItem(row, adjusted) })),
  );
  const names = Object.keys(items[0]?.item ?? { name: '' });
  return table(
    ['window_start', 'window_end', ...names],
    items.map(({ window, item }) => [
      timeText(window.start),
      timeText(window.end),
      ...names.map((name) => item[name] ?? ''),
    ]),
  );
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

/** Assets: a row for each set and key. */
export function assetCsv({ sets }: AssetAnswer): string {
  const header = [
    'window_start',
    'window_end',
    'key',
    'type',
    ...assetProperties,
    'start',
    'end',
    'adjustment',
    'totalCost',
  ];
  const rows = sets.flatMap(({ window, rows: ofSet }) =>
    ofSet.map((row): Cell[] => [
      timeText(window.start),
      timeText(window.end),
      row.key,
      row.type === 'Any' ? '' : row.type,
      ...assetProperties.map((name) => row.properties[name] ?? ''),
      timeText(row.start),
      timeText(row.end),
      cell(row.adjustment, 6),
      cell(row.totalCost, 6),
    ]),
  );
  return table(header, rows);
}

function cell(value: number, decimals: number): number | null {
  const text = rounded(value, decimals);
  return text === 'null' ? null : Number(text);
}
