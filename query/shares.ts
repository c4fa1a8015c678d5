import {
  mostCost,
  mostOf,
  resourceSql,
  type SourceOptions,
  sourceTables,
  totalSql,
} from './allocation-source';
import { pickedAssets } from './asset-source';
import { rowFinder } from './beside-rows';
import { rowsOf } from './database';
import { exactSum, sortedSum } from './exact-sum';
import type { FoundRow } from './found-row';
import { groupKey, type Idle, resources } from './idle';
import { type StoredMeasure, storedMeasures } from './measures';
import { peakOf, type Peaks } from './peaks';
import type { AllocationRequest } from './request';
import { merged } from './rollup';
import { Bindings, unnested } from './sql';
import { paceOf, type Statements } from './statements';
import type { Steps } from './steps';
import type { Sum } from './sums';

/**
 * Costs that are added to the allocations' own costs: idle cost, shared costs, and the management cost of the cluster.
 */
export interface Shares {
  readonly idle: readonly Idle[];
  readonly shared: SharedAmounts;
  readonly tenancy: readonly TenancyFactor[];
}

/**
 * Shared costs, by time step. If they are split in proportion to cost, each allocation gets `factor` times its own
 * cost. If they are split evenly, each group of the result gets the amount `even`.
 */
export interface SharedAmounts {
  readonly factor: readonly number[];
  readonly even: readonly number[];
  readonly notes: readonly string[];
}

/** Management cost of a cluster in a time step, divided by the cost of the cluster's allocations. */
export interface TenancyFactor {
  readonly step: number;
  readonly cluster: number;
  readonly factor: number;
}

const hoursPerMonth = 730;

export function isSharing({ sharing }: AllocationRequest): boolean {
  return sharing.namespaces.length > 0 || sharing.labels.length > 0 || sharing.monthlyCost !== 0;
}

/**
 * Computes the total shared cost of each time step, and how it is split among the allocations that are not shared
 * themselves.
 */
export async function sharedAmounts(
  statements: Statements,
  source: SourceOptions,
  { steps }: Steps,
  sums: readonly Sum[],
  idle: readonly Idle[],
): Promise<SharedAmounts> {
  const { request } = source;
  const factor = steps.map(() => 0);
  const even = steps.map(() => 0);
  if (!isSharing(request)) return { factor, even, notes: [] };
  const factors = new Map(idle.map((one) => [groupKey(one), one.factor]));
  const shared = steps.map(({ start, end }) => {
    const hours = Math.max(0, Math.min(end, request.now) - start) / 3_600;
    return (request.sharing.monthlyCost / hoursPerMonth) * hours;
  });
  const weights = steps.map(() => 0);
  for (const sum of sums) {
    // `shared` contains the costs to share in each step, including the idle cost of the shared allocations. `weights`
    // contains the costs of the other allocations, without idle cost.
    const taken = sum.plain && sum.shared ? factors.get(groupKey(sum)) : undefined;
    const total = resources.reduce((all, name) => all + sum.cost[name] * (taken?.[name] ?? 0), sum.total);
    const into = sum.shared ? shared : sum.plain ? weights : undefined;
    if (into !== undefined) into[sum.step] = (into[sum.step] ?? 0) + total;
  }
  const groups =
    request.sharing.split === 'even' ? await countGroups(statements, source) : new Map<number, number>();
  const lost: number[] = [];
  steps.forEach((_, step) => {
    const amount = shared[step] ?? 0;
    const count = groups.get(step) ?? 0;
    const weight = weights[step] ?? 0;
    if (request.sharing.split === 'even' && count > 0) even[step] = amount / count;
    else if (request.sharing.split === 'weighted' && weight !== 0) factor[step] = amount / weight;
    else lost.push(amount);
  });
  return { factor, even, notes: describeLost('Shared costs', lost) };
}

/**
 * Counts, for each time step, the groups among which shared costs are split evenly. Also counts groups that do not pass
 * the filter.
 */
async function countGroups(statements: Statements, source: SourceOptions): Promise<Map<number, number>> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const rows = await rowsOf(
    statements,
    `${tables} select step, count(distinct key)::integer as groups from source where plain and not shared group by step`,
    bindings.values,
  );
  return new Map(rows.map((row) => [Number(row['step']), Number(row['groups'])]));
}

/**
 * Computes how the management cost of each cluster is split among its allocations. The temp table `asset_pick` lists
 * the window files that contain the management costs.
 */
export async function tenancyFactors(
  statements: Statements,
  { reconcile }: AllocationRequest,
  wholeFiles: boolean,
  sums: readonly Sum[],
): Promise<{ factors: TenancyFactor[]; notes: string[] }> {
  const keyOf = ({ step, cluster }: Pick<Sum, 'step' | 'cluster'>) => `${step} ${cluster}`;
  const weights = new Map<string, number>();
  for (const sum of sums) {
    if (sum.plain && !sum.shared) weights.set(keyOf(sum), (weights.get(keyOf(sum)) ?? 0) + sum.total);
  }
  const rows = await rowsOf(
    statements,
    `select p.step, a.cluster, ${sortedSum(reconcile ? 'a.cost + a.adjustment' : 'a.cost')} as cost
from ${pickedAssets(wholeFiles)} where a.type = 'ClusterManagement' group by p.step, a.cluster`,
  );
  const factors: TenancyFactor[] = [];
  const lost: number[] = [];
  for (const row of rows) {
    const [step, cluster, cost] = [Number(row['step']), Number(row['cluster']), Number(row['cost'])];
    const weight = weights.get(keyOf({ step, cluster })) ?? 0;
    if (weight === 0) lost.push(cost);
    else factors.push({ step, cluster, factor: cost / weight });
  }
  return { factors, notes: describeLost('Management costs', lost) };
}

/**
 * Returns a warning about costs that are in no row, because there are no allocations among which they could be split.
 */
function describeLost(what: string, amounts: readonly number[]): string[] {
  const lost = [...amounts].sort((a, b) => a - b).reduce((sum, amount) => sum + amount, 0);
  return lost === 0 ? [] : [`${what} of ${lost.toFixed(2)} are left out: no allocation can share them.`];
}

/** Returns whether any cost is split in proportion to the cost of allocations. If so, the query needs `withFactors`. */
export function takesInProportion({ idle, shared, tenancy }: Shares): boolean {
  return (
    idle.some(({ factor }) => resources.some((resource) => factor[resource] !== 0)) ||
    shared.factor.some((one) => one !== 0) ||
    tenancy.length > 0
  );
}

/**
 * Returns SQL that adds columns with factors to the rows of the table `source` (see `sourceTables`).
 * `measuresWithShares` multiplies a row's own costs by these factors to get its share of idle, shared and management
 * costs. Requires the temp tables that `fillFactors` creates.
 */
export function withFactors({ idle: { byNode } }: AllocationRequest): string {
  const node = byNode ? ' and f.of_node = s.node' : '';
  const taken = resources.map((one) => `case when plain then coalesce(f.${one}, 0) else 0 end as of_${one}`);
  return `(select s.*, ${taken.join(', ')},
  case when plain then coalesce(w.part, 0) + coalesce(t.part, 0) else 0 end as of_shared
from source s left join idle_factor f on f.step = s.step and f.of_cluster = s.cluster${node}
left join step_factor w on w.step = s.step
left join tenancy_factor t on t.step = s.step and t.of_cluster = s.cluster)`;
}

/**
 * Fills temp tables with the factors for idle, shared and management costs. Tables are better than lists in the SQL
 * statement: DuckDB knows the size of a table, so it can plan joins accordingly.
 */
export async function fillFactors(
  statements: Statements,
  { idle, shared: { factor }, tenancy }: Shares,
): Promise<void> {
  const make = (table: string, { values }: Bindings, lists: Readonly<Record<string, string>>) =>
    statements.run(`create or replace temp table ${table} as select ${unnested(lists)}`, values);
  const ofIdle = new Bindings();
  await make('idle_factor', ofIdle, {
    step: ofIdle.integers(idle.map(({ step }) => step)),
    of_cluster: ofIdle.integers(idle.map(({ cluster }) => cluster)),
    of_node: ofIdle.texts(idle.map(({ node }) => node)),
    cpu: ofIdle.doubles(idle.map((group) => group.factor.cpu)),
    gpu: ofIdle.doubles(idle.map((group) => group.factor.gpu)),
    ram: ofIdle.doubles(idle.map((group) => group.factor.ram)),
  });
  const ofStep = new Bindings();
  await make('step_factor', ofStep, {
    step: ofStep.integers(factor.map((_, step) => step)),
    part: ofStep.doubles(factor),
  });
  const ofTenancy = new Bindings();
  await make('tenancy_factor', ofTenancy, {
    step: ofTenancy.integers(tenancy.map(({ step }) => step)),
    of_cluster: ofTenancy.integers(tenancy.map(({ cluster }) => cluster)),
    part: ofTenancy.doubles(tenancy.map((one) => one.factor)),
  });
}

/**
 * Returns SQL for the measures of a group of rows. The rows come from `withFactors`. Their costs include idle, shared
 * and management costs.
 */
export function measuresWithShares({ shared, idle, tenancy }: Shares, peaks: Peaks): string[] {
  const ofShared = most(shared.factor) + most(tenancy.map(({ factor }) => factor));
  const takes = new Map<StoredMeasure, readonly [sql: string, most: number]>([
    ['sharedCost', [`${totalSql} * of_shared`, mostCost(peaks) * ofShared]],
  ]);
  const ofIdle = resources.map((resource): string => {
    const sql = `${resourceSql(resource)} * of_${resource}`;
    const largest = mostOf(resource, peaks) * most(idle.map(({ factor }) => factor[resource]));
    takes.set(`${resource}Cost`, [sql, largest]);
    return `${exactSum(sql, largest)} as "${resource}CostIdle"`;
  });
  const measures = storedMeasures.flatMap((measure) => {
    const taken = takes.get(measure);
    if (taken === undefined) return peaks.has(measure) ? [`${merged(measure, peaks)} as "${measure}"`] : [];
    const [sql, largest] = taken;
    return [`${exactSum(`("${measure}" + ${sql})`, peakOf(peaks, measure) + largest)} as "${measure}"`];
  });
  return [...measures, ...ofIdle];
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((found, one) => Math.max(found, Math.abs(one)), 0);
}

/** Adds the evenly split shared costs to the rows of a query result. */
export async function addEvenShares(
  statements: Statements,
  source: SourceOptions,
  { even }: SharedAmounts,
  rows: readonly FoundRow[],
): Promise<void> {
  if (even.every((one) => one === 0)) return;
  const bindings = new Bindings();
  const paying = await rowsOf(
    statements,
    `${sourceTables(source, bindings)}
select distinct step, period, key from source where plain and kept and not shared order by step`,
    bindings.values,
  );
  const pace = paceOf(statements);
  const stepsOf = await pace.groupBy(paying, await rowFinder(statements, rows));
  await pace.forEach(stepsOf, ([row, steps]) => {
    if (row !== undefined)
      row.sharedCost += steps.reduce((sum, { step }) => sum + (even[Number(step)] ?? 0), 0);
  });
}
