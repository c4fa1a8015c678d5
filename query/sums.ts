import type { DuckDBConnection } from '@duckdb/node-api';
import { mostOf, resourceSql, type SourceOptions, sourceTables, totalCostSum } from './allocation-source';
import type { Catalog } from './catalog';
import { compareTexts } from './compare-texts';
import { rowsOf } from './database';
import { exactSum } from './exact-sum';
import { type ByResource, resources } from './idle';
import { Bindings } from './sql';

/** Cost of some allocations of an idle group in a step: those that agree in `plain`, `shared` and `kept`. */
export interface Sum {
  readonly step: number;
  readonly cluster: number;
  readonly node: string;
  readonly plain: boolean;
  readonly shared: boolean;
  readonly kept: boolean;
  readonly cost: ByResource;
  /** Total cost. It is 0 if nothing is shared, because it is not read then. */
  readonly total: number;
}

/**
 * Reads the sums in an order that is the same in every database: adding floats in another order changes the last
 * digits.
 */
export async function readSums(
  connection: DuckDBConnection,
  { clusters }: Catalog,
  source: SourceOptions,
  withTotals: boolean,
): Promise<Sum[]> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const node = source.request.idle.byNode ? 'node' : "''";
  const costs = resources.map(
    (resource) => `${exactSum(resourceSql(resource), mostOf(resource, source.peaks))} as ${resource}`,
  );
  const rows = await rowsOf(
    connection,
    `${tables} select step, cluster, ${node} as of_node, plain, shared, kept,
  ${costs.join(', ')}, ${withTotals ? totalCostSum(source.peaks) : '0'} as total
from source group by step, cluster, ${node}, plain, shared, kept order by plain, shared, kept`,
    bindings.values,
  );
  const sums = rows.map((row): Sum => ({
    step: Number(row['step']),
    cluster: Number(row['cluster']),
    node: String(row['of_node']),
    plain: row['plain'] === true,
    shared: row['shared'] === true,
    kept: row['kept'] === true,
    cost: { cpu: Number(row['cpu']), gpu: Number(row['gpu']), ram: Number(row['ram']) },
    total: Number(row['total']),
  }));
  return sums.sort(byPlace(clusters));
}

/** Orders by step, cluster name and node. Cluster numbers would not do, as they differ between databases. */
export function byPlace(clusters: Catalog['clusters']) {
  return (a: PlaceInStep, b: PlaceInStep): number =>
    a.step - b.step ||
    compareTexts(clusters.get(a.cluster) ?? '', clusters.get(b.cluster) ?? '') ||
    compareTexts(a.node, b.node);
}

type PlaceInStep = Pick<Sum, 'step' | 'cluster' | 'node'>;
