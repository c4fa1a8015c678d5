import { undefinedPart } from '../etl/asset-identity';
import type { AssetField, AssetGroup, AssetRequest } from './request';
import { assetTarget, type Bindings, condition, unallocated } from './sql';

/** For each asset field that a query can group by, the database column that contains it. */
export const assetColumns: Readonly<Record<AssetField, string>> = {
  account: 'account',
  category: 'category',
  cluster: 'cluster_name',
  name: 'name',
  project: 'project',
  provider: 'provider',
  providerid: 'provider_id',
  service: 'service',
  type: 'type',
};

/** The fields that together identify an asset, in the order in which its key contains them. */
const identifying: readonly AssetField[] = [
  'provider',
  'account',
  'project',
  'category',
  'cluster',
  'type',
  'service',
  'providerid',
  'name',
];
export const identifyingColumns = identifying.map((field) => assetColumns[field]);

/** Options for reading the assets of a query. */
export interface AssetSource {
  readonly request: AssetRequest;
  /**
   * Whether the query uses the data of all clusters in its window files. If not, the temp table `asset_pick` lists the
   * clusters to use from each file.
   */
  readonly wholeFiles: boolean;
  /**
   * Whether the temp table `asset_twin` replaces the labels of some assets. The table contains the assets whose labels
   * change during a time step.
   */
  readonly substituted: boolean;
}

/**
 * Returns the SQL of a `from` clause. It reads the assets in the window files that the temp table `asset_pick` lists.
 */
export function pickedAssets(wholeFiles: boolean): string {
  return `asset a join asset_pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}`;
}

/**
 * Returns a `with` clause that defines the table `source`: the assets that pass the filter. Each row of `source` also
 * has its period (the result set it belongs to) and its key.
 */
export function sourceTable({ request, wholeFiles, substituted }: AssetSource, bindings: Bindings): string {
  const kept = request.filter === undefined ? 'true' : condition(request.filter, assetTarget, bindings);
  const replaced = [
    ...(request.disableAdjustments ? ['0::double as adjustment'] : []),
    ...(substituted ? ['coalesce(t.labels, a.labels) as labels'] : []),
  ];
  const columns = replaced.length === 0 ? 'a.*' : `a.* replace (${replaced.join(', ')})`;
  const same = ['step', ...identifyingColumns].map((column) =>
    column === 'step' ? 't.step = p.step' : `t.${column} = a.${column}`,
  );
  const twins = substituted ? ` left join asset_twin t on ${same.join(' and ')}` : '';
  return `with picked as (select p.period, ${columns} from ${pickedAssets(wholeFiles)}${twins}),
source as (select *, ${assetKey(request.groups, bindings)} as key from picked where ${kept})`;
}

function assetKey(groups: readonly AssetGroup[] | undefined, bindings: Bindings): string {
  const all = groups ?? identifying.map((field): AssetGroup => ({ kind: 'field', field }));
  const parts = all.map((group) => keyPart(group, bindings));
  return parts.length === 0 ? "''" : parts.join(` || '/' || `);
}

function keyPart(group: AssetGroup, bindings: Bindings): string {
  if (group.kind === 'field') return `coalesce(nullif(${assetColumns[group.field]}, ''), '${undefinedPart}')`;
  const key = bindings.bind(group.key);
  return group.kind === 'alias'
    ? `coalesce(labels[${key}], '${unallocated}')`
    : `coalesce(${key} || '=' || labels[${key}], '${undefinedPart}')`;
}
