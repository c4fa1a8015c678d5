import { mostOf, resourceSql, type SourceOptions, sourceTables, totalCostSum } from './allocation-source';
import type { Catalog } from './catalog';
import { compareTexts } from './compare-texts';
import { rowsOf } from './database';
import { exactSum } from './exact-sum';
import { type ByResource, resources } from './idle';
import { Bindings } from './sql';
import type { Statements } from './statements';

/**
 * Cost of a group of allocations. Allocations are grouped by the fields `step` (time step), `cluster`, `node`, `plain`,
 * `shared` and `kept`.
 */
export interface Sum {
  readonly step: number;
  readonly cluster: number;
  /** Name of the node. Empty if idle costs are computed by cluster instead of by node. */
  readonly node: string;
  /** False if the allocations are unmounted volumes. */
  readonly plain: boolean;
  /** Whether the cost of these allocations is shared among the other allocations. */
  readonly shared: boolean;
  /** Whether the allocations pass the filter. */
  readonly kept: boolean;
  readonly cost: ByResource;
  /** Total cost of the allocations. It is computed only if costs are shared. Otherwise it is 0. */
  readonly total: number;
}

/**
 * Reads the cost of each group of allocations. The groups have the same order in every database, because adding up
 * their costs in a different order would change the last digits.
 */
export async function readSums(
  statements: Statements,
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
    statements,
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

/**
 * Returns a comparison function for sorting by time step, cluster name and node. It does not use cluster ids, because
 * they differ between databases.
 */
export function byPlace(clusters: Catalog['clusters']) {
  return (a: PlaceInStep, b: PlaceInStep): number =>
    a.step - b.step ||
    compareTexts(clusters.get(a.cluster) ?? '', clusters.get(b.cluster) ?? '') ||
    compareTexts(a.node, b.node);
}

type PlaceInStep = Pick<Sum, 'step' | 'cluster' | 'node'>;
