import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import { pick } from './allocations';
import type { AssetAnswer, AssetRow } from './answer';
import { assetMeasures, toAssetRow } from './asset-row';
import type { Catalog } from './catalog';
import { cover } from './covering';
import { rowsOf } from './database';
import { describeMissing, describeSnapped } from './notes';
import type { AssetGroup, AssetRequest } from './request';
import { agreed } from './rollup';
import { assetTarget, Bindings, condition, unallocated } from './sql';
import { cutSteps } from './steps';

/**
 * Answers a query of assets. The connection is inside of a transaction that sees what the catalog says. Throws
 * QUERY_TOO_LARGE when there are more rows than `mostRows`.
 */
export async function answerAssets(
  connection: DuckDBConnection,
  catalog: Catalog,
  request: AssetRequest,
  mostRows: number,
): Promise<AssetAnswer> {
  const steps = cutSteps(request.window, request.step, request.accumulate);
  const covering = cover(catalog, 'assets', steps.steps, request.now);
  const wholeFiles = await pick(connection, 'asset_pick', catalog, covering, steps);
  const bindings = new Bindings();
  const kept = request.filter === undefined ? 'true' : condition(request.filter, assetTarget, bindings);
  const on = `p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'}`;
  const found = await rowsOf(
    connection,
    `with source as (
  select p.period, a.* ${request.disableAdjustments ? 'replace (0::double as adjustment)' : ''}, ${assetKey(request.groups, bindings)} as key
  from asset a join asset_pick p on ${on})
select period, key, ${gathered()} from source where ${kept} group by period, key limit ${mostRows + 1}`,
    bindings.values,
  );
  if (found.length > mostRows) {
    throw new FederationError('QUERY_TOO_LARGE', { detail: `The answer has more than ${mostRows} assets.` });
  }
  const rows = Map.groupBy(found, (row) => Number(row['period']));
  return {
    sets: steps.periods.map((window, period) => ({
      window,
      rows: sorted(
        (rows.get(period) ?? []).map((row) => toAssetRow(row, window)),
        request,
      ),
    })),
    window: request.window,
    warnings: [
      ...describeSnapped(covering.snapped),
      ...describeMissing(catalog, 'assets', covering, request.window, request.now),
    ],
    ...(catalog.generation !== undefined && { generation: catalog.generation }),
  };
}

function sorted(rows: AssetRow[], { offset, limit }: AssetRequest): AssetRow[] {
  rows.sort((a, b) => b.totalCost - a.totalCost || (a.key < b.key ? -1 : 1));
  return rows.slice(offset, limit === undefined ? undefined : offset + limit);
}

const undefinedPart = '__undefined__';
const columns = {
  account: 'account',
  category: 'category',
  cluster: 'cluster_name',
  name: 'name',
  project: 'project',
  provider: 'provider',
  providerid: 'provider_id',
  service: 'service',
  type: 'type',
} as const;
const wholeKey = [
  'provider',
  'account',
  'project',
  'category',
  'cluster',
  'type',
  'service',
  'providerid',
  'name',
] as const;

function assetKey(groups: readonly AssetGroup[] | undefined, bindings: Bindings): string {
  const parts = (groups ?? wholeKey.map((field): AssetGroup => ({ kind: 'field', field }))).map((group) => {
    if (group.kind === 'field') return `coalesce(nullif(${columns[group.field]}, ''), '${undefinedPart}')`;
    const key = bindings.bind(group.key);
    return group.kind === 'alias'
      ? `coalesce(labels[${key}], '${unallocated}')`
      : `coalesce(${key} || '=' || labels[${key}], '${undefinedPart}')`;
  });
  return parts.length === 0 ? "''" : parts.join(` || '/' || `);
}

/** The columns of a group of assets. Shares are weighted by what they are shares of. */
function gathered(): string {
  const texts = [
    'category',
    'provider',
    'account',
    'project',
    'service',
    'cluster_name',
    'name',
    'provider_id',
  ];
  const ofTypes = [
    'node_type',
    'storage_class',
    'volume_name',
    'claim_name',
    'claim_namespace',
    'ip',
    'private',
  ];
  const mean = (value: string, weight: string) =>
    `coalesce(sum(${value} * ${weight}) / nullif(sum(${weight}), 0), avg(${value}))`;
  const paid = '(cpu_cost + ram_cost)';
  // Without adjustment, each with its own discount.
  const cost = '(cpu_cost + ram_cost) * (1 - discount) + gpu_cost';
  const breakdown = (column: string, weight: string) =>
    [1, 2, 3, 4].map((place) => `${mean(`${column}[${place}]`, weight)} as ${column}_${place}`).join(', ');
  return [
    `${agreed('type')} as type`,
    ...[...texts, ...ofTypes].map((column) => `${agreed(column)} as ${column}`),
    'min(start_at) as start_at, max(end_at) as end_at',
    // Labels that all have: what is in each map.
    `list_reduce(list(map_entries(labels)), lambda a, b: list_intersect(a, b)) as labels`,
    ...assetMeasures.map((column) => `sum(${column}) as ${column}`),
    `sum(case when type = 'Node' then ${cost} + adjustment when type = 'Shared' then cost else cost + adjustment + credit end) as total`,
    `${mean('discount', paid)} as discount`,
    `${mean('preemptible', `(${cost})`)} as preemptible`,
    breakdown('cpu_breakdown', 'cpu_cost'),
    breakdown('ram_breakdown', 'ram_cost'),
    breakdown('disk_breakdown', 'byte_hours'),
    ...[1, 2, 3].map((place) => `${mean(`overhead[${place}]`, `(${cost})`)} as overhead_${place}`),
    'sum(byte_hours_used) as byte_hours_used, max(byte_usage_max) as byte_usage_max',
  ].join(',\n  ');
}
