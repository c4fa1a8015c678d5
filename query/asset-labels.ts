import { ownValue } from '../etl/own-value';
import { type AssetSource, identifyingColumns, pickedAssets, sourceTable } from './asset-source';
import { rowsOf } from './database';
import type { Filter } from './filter';
import type { AssetRequest } from './request';
import { Bindings } from './sql';
import type { Statements } from './statements';

export type Labels = Readonly<Record<string, string>>;

/** Returns whether the request filters or groups assets by labels. */
export function dependsOnLabels({ groups, filter }: AssetRequest): boolean {
  return (
    (groups ?? []).some(({ kind }) => kind !== 'field') || (filter !== undefined && filtersLabels(filter))
  );
}

function filtersLabels(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.some(filtersLabels);
    case 'not':
      return filtersLabels(filter.part);
    case 'compare':
      return filter.left.kind !== 'field';
  }
}

/**
 * Fills the temp table `asset_twin` with the assets whose labels differ between the window files of one time step. For
 * each such asset, stores only the labels that are the same in all of these files. Returns whether the table contains
 * any assets.
 */
export async function findAssetTwins(statements: Statements, wholeFiles: boolean): Promise<boolean> {
  const asset = ['p.step', ...identifyingColumns.map((column) => `a.${column}`)].join(', ');
  const columns = ['step', ...identifyingColumns].join(', ');
  await statements.run(`create or replace temp table asset_twin as
with changing as (
  select ${asset} from ${pickedAssets(wholeFiles)} group by ${asset} having min(hash(a.labels)) <> max(hash(a.labels))
), known as (
  select ${asset}, a.labels from ${pickedAssets(wholeFiles)} semi join changing c
    on ${['c.step = p.step', ...identifyingColumns.map((column) => `c.${column} = a.${column}`)].join(' and ')}
)
select ${columns}, map_from_entries(list_reduce(list(distinct map_entries(labels)), lambda a, b: list_intersect(a, b))) as labels
from known group by ${columns}`);
  const [row] = await rowsOf(statements, 'select count(*) > 0 as some from asset_twin');
  return row?.['some'] === true;
}

/**
 * Reads the distinct label sets of the assets in a query. The keys of the returned map are hashes of the label sets.
 * The column `label_sets`, which `gatherAssets` computes, contains the same hashes.
 */
export async function readLabelSets(
  statements: Statements,
  source: AssetSource,
): Promise<ReadonlyMap<string, Labels>> {
  const bindings = new Bindings();
  const rows = await rowsOf(
    statements,
    `${sourceTable(source, bindings)}
select hash(labels)::varchar as name, any_value(labels) as labels from source group by hash(labels)`,
    bindings.values,
  );
  return new Map(rows.map((row) => [String(row['name']), toLabels(row['labels'])]));
}

function toLabels(value: unknown): Labels {
  const entries = value as readonly { readonly key: string; readonly value: string }[];
  return Object.fromEntries(entries.map(({ key, value: text }) => [key, text]));
}

/** Returns the labels that have the same value in all of the given label sets. */
export function commonLabels(sets: readonly Labels[]): Labels {
  const [first, ...others] = sets;
  let common = Object.entries(first ?? {});
  for (const other of others) {
    if (common.length === 0) break;
    common = common.filter(([key, text]) => Object.hasOwn(other, key) && ownValue(other, key) === text);
  }
  return others.length === 0 ? (first ?? {}) : Object.fromEntries(common);
}
