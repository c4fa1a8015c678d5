import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import { describeMissing, describeSnapped } from './notes';
import type { AllocationAnswer, AllocationProperties, AllocationRow, AllocationSet } from './answer';
import {
  agreedProperty,
  identityColumns,
  hasRolledUpSums,
  isRolledUp,
  mixedWorkloads,
  resourceSql,
  sourceTables,
  type SourceOptions,
  totalSql,
  withProperties,
} from './allocation-source';
import { addDetails } from './allocation-details';
import type { Catalog } from './catalog';
import { rowCost } from './cost';
import { cover, type Covering } from './covering';
import { type Row, rowsOf } from './database';
import { type ByResource, computeIdle, groupKey, type Idle, resources, type Used } from './idle';
import { nodeCosts } from './node-costs';
import type { AllocationRequest } from './request';
import { agreed, merged, sampleSql } from './rollup';
import { type StoredMeasure, storedMeasures } from './schema';
import { Bindings } from './sql';
import { cutSteps, type Steps } from './steps';
import { substituteTwins } from './twins';

/** A row while it is worked on: with what is needed to look up its details. */
export interface FoundRow extends AllocationRow {
  /** Index of its set. */
  period: number;
  /** The number of its name, and its step, if it is of a single container and of one step: then nothing was merged. */
  single?: { readonly name: number; readonly step: number };
  /** One of its identities; absent of idle. */
  sample?: number;
}

/**
 * Answers a query of allocations. The connection is inside of a transaction that sees what the catalog says.
 * Throws QUERY_TOO_LARGE when there are more rows than `mostRows`.
 */
export async function answerAllocations(
  connection: DuckDBConnection,
  catalog: Catalog,
  request: AllocationRequest,
  mostRows: number,
): Promise<AllocationAnswer> {
  const steps = cutSteps(request.window, request.step, request.accumulate);
  const covering = cover(catalog, 'allocations', steps.steps, request.now);
  const wholeFiles = await pick(connection, 'pick', catalog, covering, steps);
  const rolledUp = isRolledUp(request) && !catalog.twins.controllers;
  const mixed = await areMixed(connection, request);
  const substituted =
    catalog.twins.any && (request.aggregatedMetadata || ((!rolledUp || mixed) && dependsOnTwins(request)));
  if (substituted) await substituteTwins(connection, wholeFiles);
  const { controllers: controllersDiffer } = catalog.twins;
  const measures = measuresOf(catalog, covering);
  const source: SourceOptions = {
    ...{ request, rolledUp, mixed, measures },
    ...{ wholeFiles, substituted, controllersDiffer },
  };

  const sums = needsSums(request) ? await readSums(connection, await sumsSource(connection, source)) : [];
  const idle = request.idle.include
    ? await readIdle(connection, catalog, source, steps, sums)
    : { rows: [], without: [] };
  const shared = await sharedAmounts(connection, source, steps, sums, idle.rows);
  const rows = await readRows(connection, source, steps, shared, idle.rows, mostRows);
  const idleRows = showIdle(idle.rows, catalog, request, steps);
  const sets = toSets([...rows, ...idleRows], steps, request);
  const visible = sets.flatMap((set) => set.rows as FoundRow[]);
  if (request.details !== false) await addDetails(connection, source, visible);
  return {
    sets,
    window: request.window,
    stepSeconds: steps.stepSeconds,
    warnings: [
      ...describeSnapped(covering.snapped),
      ...describeMissing(catalog, 'allocations', covering, request.window, request.now),
      ...idle.without,
      ...shared.notes,
    ],
    ...(catalog.generation !== undefined && { generation: catalog.generation }),
  };
}

/** Where the sums of all are read, which need not be told apart by the groups that are asked for. */
async function sumsSource(connection: DuckDBConnection, source: SourceOptions): Promise<SourceOptions> {
  const request = { ...source.request, groups: [] };
  const rolledUp = hasRolledUpSums(request) && !source.controllersDiffer;
  return { ...source, request, rolledUp, mixed: await areMixed(connection, request) };
}

/** Whether there are workloads of which the allocations have to be taken. */
async function areMixed(connection: DuckDBConnection, request: AllocationRequest): Promise<boolean> {
  const bindings = new Bindings();
  const which = mixedWorkloads(request, bindings);
  if (which === undefined) return false;
  const rows = await rowsOf(connection, `select 1 from workload where ${which} limit 1`, bindings.values);
  return rows.length > 0;
}

/** The measures that are not 0 in all of the files that answer. */
function measuresOf({ files }: Catalog, { picks }: Covering): ReadonlySet<StoredMeasure> {
  const picked = new Set(picks.map(({ file }) => file));
  return new Set(files.filter(({ id }) => picked.has(id)).flatMap(({ measures }) => measures));
}

/** Fills the table that says which rows are meant; returns whether it takes all clusters of its files. */
export async function pick(
  connection: DuckDBConnection,
  table: 'pick' | 'asset_pick',
  catalog: Catalog,
  { picks }: Covering,
  { periodOf }: Pick<Steps, 'periodOf'>,
): Promise<boolean> {
  const sizes = new Map(catalog.files.map(({ id, records }) => [id, records.size]));
  const found = new Map<number, number>();
  for (const { file } of picks) found.set(file, (found.get(file) ?? 0) + 1);
  const whole = [...found].every(([file, count]) => sizes.get(file) === count);
  const listed = whole ? [...new Map(picks.map((one) => [one.file, one])).values()] : picks;
  const bindings = new Bindings();
  const columns = [
    `unnest(${bindings.integers(listed.map(({ step }) => step))}) as step`,
    `unnest(${bindings.integers(listed.map(({ step }) => periodOf[step] ?? 0))}) as period`,
    `unnest(${bindings.integers(listed.map(({ file }) => file))}) as file`,
    `unnest(${bindings.integers(listed.map(({ cluster }) => cluster))}) as cluster`,
  ];
  await connection.run(
    `create or replace temp table ${table} as select ${columns.join(', ')}`,
    bindings.values,
  );
  return whole;
}

/** Whether an answer is another one when a container has one identity in a step rather than several. */
function dependsOnTwins({ groups, filter, sharing }: AllocationRequest): boolean {
  const inName = new Set(['cluster', 'node', 'namespace', 'pod', 'container']);
  const grouped = groups.some((group) => group.kind !== 'field' || !inName.has(group.field));
  return grouped || filter !== undefined || sharing.labels.length > 0;
}

/** What the allocations of a step and an idle group cost, by whether they are plain, shared and kept. */
interface Sum {
  readonly step: number;
  readonly cluster: number;
  readonly node: string;
  readonly plain: boolean;
  readonly shared: boolean;
  readonly kept: boolean;
  readonly cost: ByResource;
  readonly total: number;
}

function needsSums(request: AllocationRequest): boolean {
  return request.idle.include || isSharing(request);
}

function isSharing({ sharing }: AllocationRequest): boolean {
  return sharing.namespaces.length > 0 || sharing.labels.length > 0 || sharing.monthlyCost !== 0;
}

async function readSums(connection: DuckDBConnection, source: SourceOptions): Promise<Sum[]> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const node = source.request.idle.byNode ? 'node' : "''";
  const rows = await rowsOf(
    connection,
    `${tables} select step, cluster, ${node} as node, plain, shared, kept,
  ${resources.map((resource) => `sum(${resourceSql(resource)}) as ${resource}`).join(', ')}, sum(${totalSql}) as total
from source group by all`,
    bindings.values,
  );
  return rows.map((row) => ({
    step: Number(row['step']),
    cluster: Number(row['cluster']),
    node: String(row['node']),
    plain: row['plain'] === true,
    shared: row['shared'] === true,
    kept: row['kept'] === true,
    cost: { cpu: Number(row['cpu']), gpu: Number(row['gpu']), ram: Number(row['ram']) },
    total: Number(row['total']),
  }));
}

async function readIdle(
  connection: DuckDBConnection,
  catalog: Catalog,
  { request }: SourceOptions,
  steps: Steps,
  sums: readonly Sum[],
): Promise<{ rows: Idle[]; without: string[] }> {
  const used = new Map<string, Used>();
  for (const sum of sums) {
    if (!sum.plain) continue;
    const key = groupKey(sum);
    const known = used.get(key) ?? { all: { cpu: 0, gpu: 0, ram: 0 }, kept: { cpu: 0, gpu: 0, ram: 0 } };
    for (const resource of resources) {
      known.all[resource] += sum.cost[resource];
      if (sum.kept) known.kept[resource] += sum.cost[resource];
    }
    used.set(key, known);
  }
  const covering = cover(catalog, 'assets', steps.steps, request.now);
  const wholeFiles = await pick(connection, 'asset_pick', catalog, covering, steps);
  const nodes = await nodeCosts(connection, request, wholeFiles);
  const withAssets = new Set(covering.picks.map(({ step, cluster }) => `${step} ${cluster}`));
  const withNode = new Set(nodes.map(groupKey));
  // Allocations without a node of theirs cost more than nothing: their idle is negative, so that the sums agree.
  for (const sum of sums) {
    const span = steps.steps[sum.step];
    if (!sum.plain || span === undefined || withNode.has(groupKey(sum))) continue;
    if (!withAssets.has(`${sum.step} ${sum.cluster}`)) continue;
    withNode.add(groupKey(sum));
    nodes.push({ ...sum, ...span, providerID: '', cost: { cpu: 0, gpu: 0, ram: 0 } });
  }
  const rows = computeIdle(nodes, used, {
    share: request.idle.share,
    filtered: request.filter !== undefined,
  });
  const without = new Set(
    sums.filter(({ step, cluster }) => !withAssets.has(`${step} ${cluster}`)).map(({ cluster }) => cluster),
  );
  const names = [...without].map((cluster) => catalog.clusters.get(cluster) ?? '').sort();
  return {
    rows,
    without: names.length === 0 ? [] : [`Idle is not known where there are no assets: ${shortList(names)}.`],
  };
}

function shortList(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

/** What each step's allocations pay for what is shared: a part of their own cost, or an amount for each group. */
interface SharedAmounts {
  readonly factor: readonly number[];
  readonly even: readonly number[];
  readonly notes: readonly string[];
}

const hoursPerMonth = 730;

async function sharedAmounts(
  connection: DuckDBConnection,
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
    const taken = sum.plain ? factors.get(groupKey(sum)) : undefined;
    const total = resources.reduce((all, name) => all + sum.cost[name] * (taken?.[name] ?? 0), sum.total);
    const into = sum.shared ? shared : sum.plain ? weights : undefined;
    if (into !== undefined) into[sum.step] = (into[sum.step] ?? 0) + total;
  }
  const groups =
    request.sharing.split === 'even' ? await countGroups(connection, source) : new Map<number, number>();
  let lost = 0;
  steps.forEach((_, step) => {
    const amount = shared[step] ?? 0;
    const count = groups.get(step) ?? 0;
    const weight = weights[step] ?? 0;
    if (request.sharing.split === 'even' && count > 0) even[step] = amount / count;
    else if (request.sharing.split === 'weighted' && weight !== 0) factor[step] = amount / weight;
    else lost += amount;
  });
  return {
    factor,
    even,
    notes:
      lost === 0 ? [] : [`Shared costs of ${lost.toFixed(2)} are left out: there is nobody to share them.`],
  };
}

/** How many groups share, before the filter, by step. */
async function countGroups(
  connection: DuckDBConnection,
  source: SourceOptions,
): Promise<Map<number, number>> {
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const rows = await rowsOf(
    connection,
    `${tables} select step, count(distinct key)::integer as groups from source where plain and not shared group by step`,
    bindings.values,
  );
  return new Map(rows.map((row) => [Number(row['step']), Number(row['groups'])]));
}

async function readRows(
  connection: DuckDBConnection,
  source: SourceOptions,
  steps: Steps,
  shared: SharedAmounts,
  idle: readonly Idle[],
  mostRows: number,
): Promise<FoundRow[]> {
  const { request } = source;
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const properties = request.details === false ? [] : identityColumns;
  const takesIdle = request.idle.include && request.idle.share;
  const takesShared = shared.factor.some((one) => one !== 0);
  let from = 'source';
  if (takesIdle || takesShared) {
    await fillFactors(connection, idle, shared.factor);
    const node = request.idle.byNode ? ' and f.of_node = s.node' : '';
    const taken = resources.map(
      (one) => `case when plain then coalesce(f.${one}, 0) else 0 end as of_${one}`,
    );
    from = `(select s.*, ${taken.join(', ')}, case when plain then coalesce(w.part, 0) else 0 end as of_shared
from source s left join idle_factor f on f.step = s.step and f.of_cluster = s.cluster${node}
left join step_factor w on w.step = s.step)`;
  }
  const sums = takesIdle || takesShared ? withShares : merged;
  const grouped = `select period, key, min(step) as first_step, max(step) as last_step, ${gathered(properties, source, sums)}
from ${from} where kept and not shared group by period, key limit ${mostRows + 1}`;
  const rows = await rowsOf(
    connection,
    `${tables}\n${withProperties(grouped, properties, source)}`,
    bindings.values,
  );
  if (rows.length > mostRows) {
    throw new FederationError('QUERY_TOO_LARGE', { detail: `The answer has more than ${mostRows} rows.` });
  }
  const found = rows.map((row) => toRow(row, steps));
  if (shared.even.some((one) => one !== 0)) await addEvenShares(connection, source, shared.even, found);
  return found;
}

/** The columns of a group of rows, as SQL. */
function gathered(
  properties: readonly (typeof identityColumns)[number][],
  { measures, controllersDiffer }: SourceOptions,
  sumOf: (measure: StoredMeasure) => string,
): string {
  return [
    'min(start_at) as start_at, max(end_at) as end_at',
    `${agreed('name')} as name`,
    `${sampleSql} as sample, min(workload) as workload`,
    // One container has one controller: the one that is named, else the first by name.
    `${controllersDiffer ? "min(nullif(controller, ''))" : 'null'} as any_controller`,
    ...properties.map((column) => `${agreedProperty(column)} as ${column}`),
    ...storedMeasures
      .filter((measure) => measures.has(measure) || takingShares.has(measure))
      .map((measure) => `${sumOf(measure)} as "${measure}"`),
  ].join(', ');
}

/** Measures that idle and what is shared are added to. */
const takingShares = new Set<StoredMeasure>(['cpuCost', 'gpuCost', 'ramCost', 'sharedCost']);

/** A measure of a group of rows, with the parts that they take of idle and of what is shared. */
function withShares(measure: StoredMeasure): string {
  const idle = Object.fromEntries(
    resources.map((resource) => [`${resource}Cost`, `${resourceSql(resource)} * of_${resource}`]),
  );
  if (measure === 'sharedCost')
    return `sum("sharedCost" + (${[totalSql, ...Object.values(idle)].join(' + ')}) * of_shared)`;
  const taken = idle[measure];
  return taken === undefined ? merged(measure) : `sum("${measure}" + ${taken})`;
}

/** Tables of their own, as the database knows how large these are, and joins by that. */
async function fillFactors(
  connection: DuckDBConnection,
  idle: readonly Idle[],
  factor: readonly number[],
): Promise<void> {
  const ofIdle = new Bindings();
  const columns = [
    `unnest(${ofIdle.integers(idle.map(({ step }) => step))}) as step`,
    `unnest(${ofIdle.integers(idle.map(({ cluster }) => cluster))}) as of_cluster`,
    `unnest(${ofIdle.texts(idle.map(({ node }) => node))}) as of_node`,
    ...resources.map((one) => `unnest(${ofIdle.doubles(idle.map((group) => group.factor[one]))}) as ${one}`),
  ];
  await connection.run(
    `create or replace temp table idle_factor as select ${columns.join(', ')}`,
    ofIdle.values,
  );
  const ofStep = new Bindings();
  const steps = `unnest(${ofStep.integers(factor.map((_, step) => step))}) as step`;
  await connection.run(
    `create or replace temp table step_factor as select ${steps}, unnest(${ofStep.doubles(factor)}) as part`,
    ofStep.values,
  );
}

async function addEvenShares(
  connection: DuckDBConnection,
  source: SourceOptions,
  even: readonly number[],
  rows: readonly FoundRow[],
): Promise<void> {
  const bindings = new Bindings();
  const found = await rowsOf(
    connection,
    `${sourceTables(source, bindings)} select distinct step, period, key from source where plain and kept and not shared`,
    bindings.values,
  );
  const amounts = new Map<string, number>();
  for (const row of found) {
    const key = `${String(row['period'])} ${String(row['key'])}`;
    amounts.set(key, (amounts.get(key) ?? 0) + (even[Number(row['step'])] ?? 0));
  }
  for (const row of rows) row.sharedCost += amounts.get(`${row.period} ${row.name}`) ?? 0;
}

function toRow(row: Row, { periods }: Steps): FoundRow {
  const period = Number(row['period']);
  const [start, end] = [Number(row['start_at']), Number(row['end_at'])];
  const found = { ...emptyRow(String(row['key']), periods[period] ?? { start, end }), period, start, end };
  for (const measure of storedMeasures) {
    found[measure] = Number(row[measure] ?? 0);
  }
  found.properties = propertiesOf(row);
  if (row['name'] !== null && typeof row['any_controller'] === 'string' && 'controller' in row) {
    found.properties.controller = row['any_controller'];
  }
  found.sample = Number(row['sample']);
  if (row['name'] !== null && row['first_step'] === row['last_step']) {
    found.single = { name: Number(row['name']), step: Number(row['first_step']) };
  }
  return found;
}

/** Where a property's column is called otherwise. */
const propertyColumns = [
  ['cluster', 'cluster_name'],
  ['node', 'node'],
  ['container', 'container'],
  ['controller', 'controller'],
  ['controllerKind', 'controller_kind'],
  ['namespace', 'namespace'],
  ['pod', 'pod'],
  ['providerID', 'provider_id'],
] as const satisfies readonly (readonly [keyof AllocationProperties, (typeof identityColumns)[number]])[];

function propertiesOf(row: Row): AllocationProperties {
  const properties: Partial<Record<(typeof propertyColumns)[number][0], string>> = {};
  for (const [property, column] of propertyColumns) {
    const value = row[column];
    if (typeof value === 'string' && value !== '') properties[property] = value;
  }
  return properties;
}

const noMeasures = Object.fromEntries(storedMeasures.map((measure) => [measure, 0])) as Record<
  StoredMeasure,
  number
>;

function emptyRow(name: string, window: { start: number; end: number }): Omit<FoundRow, 'period'> {
  return {
    ...noMeasures,
    cpuCostIdle: 0,
    gpuCostIdle: 0,
    ramCostIdle: 0,
    name,
    properties: {},
    window,
    ...window,
    pvs: null,
    lbAllocations: null,
    gpuAllocation: null,
    rawAllocationOnly: null,
  };
}

/** The rows of idle: one for all, or one for each cluster or node. */
function showIdle(
  idle: readonly Idle[],
  catalog: Catalog,
  request: AllocationRequest,
  { periodOf, periods }: Steps,
): FoundRow[] {
  const rows = new Map<string, { row: FoundRow; members: Idle[] }>();
  for (const one of idle) {
    if (resources.every((resource) => one.shown[resource] === 0)) continue;
    const cluster = catalog.clusters.get(one.cluster) ?? '';
    const prefix = !request.idle.split ? '' : request.idle.byNode ? `${cluster}/${one.node}/` : `${cluster}/`;
    const period = periodOf[one.step] ?? 0;
    const name = `${prefix}__idle__`;
    const key = `${period} ${name}`;
    const window = periods[period] ?? { start: one.start, end: one.end };
    const known = rows.get(key) ?? {
      row: { ...emptyRow(name, window), period, start: one.start, end: one.end },
      members: [],
    };
    known.row.start = Math.min(known.row.start, one.start);
    known.row.end = Math.max(known.row.end, one.end);
    for (const resource of resources) known.row[`${resource}Cost`] += one.shown[resource];
    known.members.push(one);
    rows.set(key, known);
  }
  return [...rows.values()].map(({ row, members }) => {
    const [first] = members;
    const same = (read: (one: Idle) => unknown) =>
      members.every((one) => first !== undefined && read(one) === read(first));
    if (first === undefined || !same(({ cluster }) => cluster)) return row;
    const cluster = catalog.clusters.get(first.cluster) ?? '';
    const { byNode } = request.idle;
    row.properties = {
      ...(cluster !== '' && { cluster }),
      ...(byNode && same(({ node }) => node) && first.node !== '' && { node: first.node }),
      ...(byNode &&
        same(({ providerID }) => providerID) &&
        first.providerID !== '' && { providerID: first.providerID }),
    };
    return row;
  });
}

function toSets(
  rows: readonly FoundRow[],
  { periods }: Steps,
  { offset, limit }: AllocationRequest,
): AllocationSet[] {
  const byPeriod = Map.groupBy(rows, ({ period }) => period);
  return periods.map((window, period) => {
    const costs = new Map((byPeriod.get(period) ?? []).map((row) => [row, rowCost(row)]));
    const sorted = [...costs].sort(([a, costA], [b, costB]) => costB - costA || (a.name < b.name ? -1 : 1));
    const shown = sorted.slice(offset, limit === undefined ? undefined : offset + limit);
    return { window, rows: shown.map(([row]) => row) };
  });
}
