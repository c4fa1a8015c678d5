import type { DuckDBConnection } from '@duckdb/node-api';
import { FederationError } from '../errors/federation-error';
import type { AllocationAnswer, AllocationProperties, AllocationRow, AllocationSet } from './answer';
import {
  agreedProperty,
  identityColumns,
  hasRolledUpSums,
  isRolledUp,
  mixedWorkloads,
  sourceTables,
  type SourceOptions,
  withProperties,
} from './allocation-source';
import { addDetails } from './allocation-details';
import { type Catalog, peaksOf } from './catalog';
import { cover, type Covering } from './covering';
import { type Row, rowsOf } from './database';
import { computeIdle, groupKey, type Idle, resources, type Used } from './idle';
import { nodeCosts } from './node-costs';
import { describeData, shortList } from './notes';
import type { AllocationRequest } from './request';
import { agreed, merged, sampleSql } from './rollup';
import { type StoredMeasure, storedMeasures } from './schema';
import {
  addEvenShares,
  fillFactors,
  isSharing,
  measuresWithShares,
  sharedAmounts,
  type Shares,
  takesInProportion,
  tenancyFactors,
  withFactors,
} from './shares';
import { sortRows } from './sort-rows';
import { Bindings, unnested } from './sql';
import { cutSteps, type Steps } from './steps';
import { byPlace, readSums, type Sum } from './sums';
import { substituteTwins } from './twins';

/** A row while it is worked on: with what is needed to look up its details. */
export interface FoundRow extends AllocationRow {
  /** Index of its set. */
  period: number;
  /** The number of its name, and its step, if it is of a single container and of one step: then nothing was merged. */
  single?: { readonly name: number; readonly step: number };
  /** The content of one of its identities; absent of idle. */
  sample?: string;
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
  const source: SourceOptions = {
    ...{ request, rolledUp, mixed, peaks: peaksOf(catalog, covering) },
    ...{ wholeFiles, substituted, controllersDiffer },
  };

  const sums = needsSums(request)
    ? await readSums(
        connection,
        catalog,
        await sumsSource(connection, source),
        isSharing(request) || request.sharing.tenancy,
      )
    : [];
  const assets = needsAssets(request)
    ? await pickAssets(connection, catalog, steps, request, sums)
    : undefined;
  const idle =
    assets !== undefined && request.idle.include
      ? await readIdle(connection, catalog, request, steps, assets, sums)
      : [];
  const tenancy =
    assets !== undefined && request.sharing.tenancy
      ? await tenancyFactors(connection, request, assets.wholeFiles, sums)
      : { factors: [], notes: [] };
  const shared = await sharedAmounts(connection, source, steps, sums, idle);
  const rows = await readRows(
    connection,
    source,
    steps,
    { shared, idle, tenancy: tenancy.factors },
    mostRows,
  );
  const sets = toSets([...rows, ...showIdle(idle, catalog, request, steps)], steps, request);
  const visible = sets.flatMap((set) => set.rows as FoundRow[]);
  if (request.details !== false) await addDetails(connection, source, visible);
  return {
    sets,
    window: request.window,
    warnings: [
      ...describeData(catalog, 'allocations', covering, request),
      ...(assets?.notes ?? []),
      ...tenancy.notes,
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
  const columns = unnested({
    step: bindings.integers(listed.map(({ step }) => step)),
    period: bindings.integers(listed.map(({ step }) => periodOf[step] ?? 0)),
    file: bindings.integers(listed.map(({ file }) => file)),
    cluster: bindings.integers(listed.map(({ cluster }) => cluster)),
  });
  await connection.run(`create or replace temp table ${table} as select ${columns}`, bindings.values);
  return whole;
}

/** Whether an answer is another one when a container has one identity in a step rather than several. */
function dependsOnTwins({ groups, filter, sharing }: AllocationRequest): boolean {
  const inName = new Set(['cluster', 'node', 'namespace', 'pod', 'container']);
  const grouped = groups.some((group) => group.kind !== 'field' || !inName.has(group.field));
  return grouped || filter !== undefined || sharing.labels.length > 0;
}

function needsSums(request: AllocationRequest): boolean {
  return needsAssets(request) || isSharing(request);
}

function needsAssets({ idle, sharing }: AllocationRequest): boolean {
  return idle.include || sharing.tenancy;
}

/** The assets that answer, which are in the table `asset_pick`. */
interface PickedAssets {
  readonly wholeFiles: boolean;
  /** Whether a cluster has some in a step. */
  has(this: void, place: Pick<Sum, 'step' | 'cluster'>): boolean;
  readonly notes: readonly string[];
}

async function pickAssets(
  connection: DuckDBConnection,
  catalog: Catalog,
  steps: Steps,
  { idle, now }: AllocationRequest,
  sums: readonly Sum[],
): Promise<PickedAssets> {
  const covering = cover(catalog, 'assets', steps.steps, now);
  const wholeFiles = await pick(connection, 'asset_pick', catalog, covering, steps);
  const found = new Set(covering.picks.map(({ step, cluster }) => `${step} ${cluster}`));
  const has: PickedAssets['has'] = ({ step, cluster }) => found.has(`${step} ${cluster}`);
  const without = new Set(sums.filter((sum) => !has(sum)).map(({ cluster }) => cluster));
  const names = [...without].map((cluster) => catalog.clusters.get(cluster) ?? '').sort();
  const what = idle.include ? 'Idle is' : 'Management costs are';
  const notes =
    names.length === 0 ? [] : [`${what} not known where there are no assets: ${shortList(names)}.`];
  return { wholeFiles, has, notes };
}

async function readIdle(
  connection: DuckDBConnection,
  catalog: Catalog,
  request: AllocationRequest,
  { steps }: Steps,
  assets: PickedAssets,
  sums: readonly Sum[],
): Promise<Idle[]> {
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
  const nodes = await nodeCosts(connection, request, assets.wholeFiles);
  const withNode = new Set(nodes.map(groupKey));
  // Allocations without a node of theirs cost more than nothing: their idle is negative, so that the sums agree.
  for (const sum of sums) {
    const span = steps[sum.step];
    if (!sum.plain || span === undefined || withNode.has(groupKey(sum)) || !assets.has(sum)) continue;
    withNode.add(groupKey(sum));
    nodes.push({ ...sum, ...span, providerID: '', cost: { cpu: 0, gpu: 0, ram: 0 } });
  }
  return computeIdle(nodes.sort(byPlace(catalog.clusters)), used, {
    share: request.idle.share,
    filtered: request.filter !== undefined,
  });
}

async function readRows(
  connection: DuckDBConnection,
  source: SourceOptions,
  steps: Steps,
  shares: Shares,
  mostRows: number,
): Promise<FoundRow[]> {
  const { request, peaks } = source;
  const bindings = new Bindings();
  const tables = sourceTables(source, bindings);
  const properties = request.details === false ? [] : identityColumns;
  const takes = takesInProportion(shares);
  if (takes) await fillFactors(connection, shares);
  const measures = takes
    ? measuresWithShares(shares, peaks)
    : storedMeasures
        .filter((measure) => peaks.has(measure))
        .map((measure) => `${merged(measure, peaks)} as "${measure}"`);
  const grouped = `select period, key, min(step) as first_step, max(step) as last_step, ${gathered(properties, source, measures)}
from ${takes ? withFactors(request) : 'source'} where kept and not shared group by period, key limit ${mostRows + 1}`;
  const rows = await rowsOf(
    connection,
    `${tables}\n${withProperties(grouped, properties, source)}`,
    bindings.values,
  );
  if (rows.length > mostRows) {
    throw new FederationError('QUERY_TOO_LARGE', { detail: `The answer has more than ${mostRows} rows.` });
  }
  const found = rows.map((row) => toRow(row, steps));
  await addEvenShares(connection, source, shares.shared, found);
  return found;
}

/** The columns of a group of rows, as SQL. */
function gathered(
  properties: readonly (typeof identityColumns)[number][],
  { controllersDiffer }: SourceOptions,
  measures: readonly string[],
): string {
  return [
    'min(start_at) as start_at, max(end_at) as end_at',
    `${agreed('name')} as name`,
    `${sampleSql} as sample, min(workload) as workload`,
    // One container has one controller: the one that is named, else the first by name.
    `${controllersDiffer ? "min(nullif(controller, ''))" : 'null'} as any_controller`,
    ...properties.map((column) => `${agreedProperty(column)} as ${column}`),
    ...measures,
  ].join(', ');
}

function toRow(row: Row, { periods }: Steps): FoundRow {
  const period = Number(row['period']);
  const [start, end] = [Number(row['start_at']), Number(row['end_at'])];
  const found = { ...emptyRow(String(row['key']), periods[period] ?? { start, end }), period, start, end };
  for (const measure of storedMeasures) {
    found[measure] = Number(row[measure] ?? 0);
  }
  for (const resource of resources) found[`${resource}CostIdle`] = Number(row[`${resource}CostIdle`] ?? 0);
  found.properties = propertiesOf(row);
  if (row['name'] !== null && typeof row['any_controller'] === 'string' && 'controller' in row) {
    found.properties.controller = row['any_controller'];
  }
  found.sample = String(row['sample']);
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
    const { byNode } = request.idle;
    const agreed = (read: (one: Idle) => string) => {
      const [first, ...others] = members.map(read);
      return first !== undefined && first !== '' && others.every((one) => one === first) ? first : undefined;
    };
    const cluster = agreed((one) => catalog.clusters.get(one.cluster) ?? '');
    const node = byNode ? agreed((one) => one.node) : undefined;
    const providerID = byNode ? agreed((one) => one.providerID) : undefined;
    row.properties = {
      ...(cluster !== undefined && { cluster }),
      ...(node !== undefined && { node }),
      ...(providerID !== undefined && { providerID }),
    };
    return row;
  });
}

function toSets(rows: readonly FoundRow[], { periods }: Steps, request: AllocationRequest): AllocationSet[] {
  const byPeriod = Map.groupBy(rows, ({ period }) => period);
  return periods.map((window, period) => ({ window, rows: page(byPeriod.get(period) ?? [], request) }));
}

/** The rows of a page, in order. Idle counts neither for offset nor for limit, and is in every page that has a row. */
function page(rows: readonly FoundRow[], { sort, offset, limit }: AllocationRequest): FoundRow[] {
  const sorted = sortRows(rows, sort);
  if (offset === 0 && limit === undefined) return sorted;
  const isIdle = ({ sample }: FoundRow) => sample === undefined;
  const others = sorted.filter((row) => !isIdle(row));
  const shown = new Set(others.slice(offset, limit === undefined ? undefined : offset + limit));
  if (shown.size === 0 && offset > 0) return [];
  return sorted.filter((row) => isIdle(row) || shown.has(row));
}
