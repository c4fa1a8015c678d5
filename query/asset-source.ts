import { undefinedPart } from '../etl/asset-identity';
import type { AssetField, AssetGroup, AssetRequest } from './request';
import { assetTarget, type Bindings, condition, unallocated } from './sql';

/** The columns of an asset's properties. */
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

/** The assets of a query. */
export interface AssetSource {
  readonly request: AssetRequest;
  /** `asset_pick` takes all clusters of its files. */
  readonly wholeFiles: boolean;
  /** `asset_twin` has the labels of assets whose labels change within a step. */
  readonly substituted: boolean;
}

/** How the assets of a query are found, as SQL. */
export function pickedAssets(wholeFiles: boolean): string {
  return `asset a join asset_pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}`;
}

/** A statement's beginning: the table `source` of the assets that pass the filter, with their period and key. */
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
