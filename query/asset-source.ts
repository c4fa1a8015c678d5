import { undefinedPart } from '../etl/asset-identity';
import type { AssetField, AssetGroup, AssetRequest } from './request';
import { assetTarget, type Bindings, condition, unallocated } from './sql';

/** The column of each asset field that can be grouped or filtered by. */
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

/** The columns that identify an asset, in the order of its key. */
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

/** Which assets a query reads, and how. */
export interface AssetSource {
  readonly request: AssetRequest;
  /** Whether the answer uses all clusters of each file in `asset_pick`. */
  readonly wholeFiles: boolean;
  /** Whether the table `asset_twin` replaces the labels of some assets, because these labels change within a step. */
  readonly substituted: boolean;
}

/** Returns the SQL of a `from` clause that reads the assets in the stored sets that `asset_pick` lists. */
export function pickedAssets(wholeFiles: boolean): string {
  return `asset a join asset_pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}`;
}

/**
 * Returns a `with` clause that defines the table `source`: the assets that pass the filter, with their period and key.
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
