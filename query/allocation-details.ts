import { ownValue } from '../etl/own-value';
import { type SourceOptions, sourceTables } from './allocation-source';
import type { AllocationProperties, GpuUse } from './answer';
import { besideRows, rowFinder } from './beside-rows';
import { type Row, rowsOf } from './database';
import type { FoundRow } from './found-row';
import { agreed } from './rollup';
import { Bindings } from './sql';
import { paceOf, type Statements } from './statements';
import { addVolumes } from './volumes';

/**
 * Adds details that are neither sums nor averages to the rows of a query result, except to idle rows. Every other row
 * gets the volumes, load balancers and GPUs of its allocations. A row for a single container in a single time step also
 * gets its labels, annotations, services and maximum usage. A merged row gets namespace labels and annotations if all
 * of its allocations have the same namespace name.
 */
export async function addDetails(
  statements: Statements,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  const found = rows.filter(({ sample }) => sample !== undefined);
  if (found.length === 0) return;
  if (source.request.volumes !== false) await addVolumes(statements, source, found);
  const gpus = await besideRows(
    statements,
    { ...source, rolledUp: false, from: 'allocation_gpu' },
    `${agreed('device')} as device, ${agreed('model')} as model, ${agreed('uuid')} as uuid, bool_or(gpu_shared) as gpu_shared`,
  );
  const rowOf = await rowFinder(statements, found);
  await paceOf(statements).forEach(gpus, (gpu) => {
    const row = rowOf(gpu);
    if (row !== undefined) row.gpuAllocation = gpuUse(gpu, row);
  });
  await addMetadata(statements, source, found);
}

function gpuUse(gpu: Row, { gpuUsageAverage, gpuRequestAverage }: FoundRow): GpuUse {
  return {
    gpuDevice: text(gpu['device'] ?? ''),
    gpuModel: text(gpu['model'] ?? ''),
    gpuUUID: text(gpu['uuid'] ?? ''),
    isGPUShared: typeof gpu['gpu_shared'] === 'boolean' ? gpu['gpu_shared'] : null,
    gpuUsageAverage,
    gpuRequestAverage,
  };
}

function text(value: unknown): string {
  return String(value);
}

async function addMetadata(
  statements: Statements,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  const single = rows.filter((row) => row.single !== undefined);
  await addSingles(statements, source, single);
  const { aggregatedMetadata } = source.request;
  const merged = rows.filter((row) => row.single === undefined && row.properties.namespace !== undefined);
  if (aggregatedMetadata) await addCommon(statements, source, merged);
  await addNamespaces(statements, merged, source.substituted);
}

/**
 * Reads columns of the table `identity`. `known` lists the ids or the content hashes of the rows to read. These are
 * also the keys of the returned map.
 */
async function readIdentities(
  statements: Statements,
  { by, known }: { readonly by: 'id' | 'content'; readonly known: Iterable<string> },
  columns: readonly string[],
  substituted = false,
): Promise<Map<string, Row>> {
  const bindings = new Bindings();
  const rows = await rowsOf(
    statements,
    // Without the `where` clause, this statement would read the labels of millions of other rows.
    `select ${by}::varchar as known, ${columns.join(', ')} from ${substituted ? '(select * from identity union all by name select * from substitute_identity)' : 'identity'} where ${by} in (select unnest(${bindings.longs([...new Set(known)])}))`,
    bindings.values,
  );
  return new Map(rows.map((row) => [text(row['known']), row]));
}

async function addSingles(
  statements: Statements,
  { wholeFiles }: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const bindings = new Bindings();
  const names = bindings.integers([...new Set(rows.map(({ single }) => single?.name ?? 0))]);
  const members = await rowsOf(
    statements,
    `select p.step, i.name, a.identity, i.content, min(f.window_start)::double as first, max(f.window_start)::double as last,
  max(cpu_max) as cpu, max(ram_max) as ram, max(gpu_max) as gpu
from allocation a join identity i on i.id = a.identity
join pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'} join file f on f.id = a.file
where i.name in (select unnest(${names}))
group by all order by last, i.content`,
    bindings.values,
  );
  const identities = await readIdentities(
    statements,
    { by: 'id', known: members.map((member) => text(member['identity'])) },
    ['services', ...maps.map(([, column]) => column)],
  );
  const pace = paceOf(statements);
  const byName = await pace.groupBy(members, (member) => `${text(member['step'])} ${text(member['name'])}`);
  await pace.forEach(rows, (row) => {
    const own = byName.get(`${row.single?.step} ${row.single?.name}`) ?? [];
    const services = [...own]
      .sort((a, b) => Number(a['first']) - Number(b['first']))
      .flatMap(
        (member) => (identities.get(text(member['identity']))?.['services'] as string[] | undefined) ?? [],
      );
    if (services.length > 0) row.properties.services = [...new Set(services)];
    for (const member of own) {
      const identity = identities.get(text(member['identity']));
      if (identity !== undefined) addUnion(row.properties, identity);
      addMaxima(row, member);
    }
  });
}

function addMaxima(row: FoundRow, { cpu, ram, gpu }: Row): void {
  if (typeof cpu !== 'number' && typeof ram !== 'number') return;
  const larger = (a: number | null | undefined, b: unknown) =>
    typeof b === 'number' ? Math.max(a ?? b, b) : (a ?? null);
  const before = row.rawAllocationOnly;
  row.rawAllocationOnly = {
    cpuCoreUsageMax: larger(before?.cpuCoreUsageMax, cpu) ?? 0,
    ramByteUsageMax: larger(before?.ramByteUsageMax, ram) ?? 0,
    gpuUsageMax: larger(before?.gpuUsageMax, gpu),
  };
}

const maps = [
  ['labels', 'labels'],
  ['annotations', 'annotations'],
  ['namespaceLabels', 'namespace_labels'],
  ['namespaceAnnotations', 'namespace_annotations'],
] as const;

/**
 * Adds the labels and annotations from a row of the table `identity` to the properties of a result row. If the result
 * row already has a value for a key, the new value replaces it.
 */
function addUnion(properties: AllocationProperties, identity: Row): void {
  for (const [property, column] of maps) {
    const union = { ...properties[property], ...toRecord(identity[column]) };
    if (Object.keys(union).length > 0) properties[property] = union;
  }
}

/** Converts a map that was read from the database to a plain object. Converts null to an empty object. */
function toRecord(value: unknown): Record<string, string> {
  const entries = (value as { key: string; value: string }[] | null) ?? [];
  return Object.fromEntries(entries.map((entry) => [entry.key, entry.value]));
}

/** Adds to each row the labels and annotations that are the same in all of its allocations. */
async function addCommon(
  statements: Statements,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const bindings = new Bindings();
  const members = await rowsOf(
    statements,
    `${sourceTables({ ...source, rolledUp: false }, bindings)}
select distinct period, key, sample::varchar as sample from source where kept and not shared`,
    bindings.values,
  );
  const pace = paceOf(statements);
  const membersOf = await pace.groupBy(members, await rowFinder(statements, rows));
  const identities = await readIdentities(
    statements,
    { by: 'content', known: members.map((member) => text(member['sample'])) },
    ['labels', 'annotations'],
    source.substituted,
  );
  for (const row of rows) {
    const own = (membersOf.get(row) ?? []).map((member) => identities.get(text(member['sample'])));
    for (const map of ['labels', 'annotations'] as const) {
      const common = intersection(await pace.map(own, (identity) => toRecord(identity?.[map])));
      if (Object.keys(common).length > 0) row.properties[map] = common;
    }
    if (pace.isDue()) await pace.pause();
  }
}

function intersection(records: readonly Record<string, string>[]): Record<string, string> {
  const [first = {}, ...others] = records;
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => others.every((other) => ownValue(other, key) === value)),
  );
}

async function addNamespaces(
  statements: Statements,
  rows: readonly FoundRow[],
  substituted: boolean,
): Promise<void> {
  if (rows.length === 0) return;
  const identities = await readIdentities(
    statements,
    { by: 'content', known: rows.flatMap(({ sample }) => sample ?? []) },
    ['namespace_labels', 'namespace_annotations'],
    substituted,
  );
  await paceOf(statements).forEach(rows, (row) => {
    const identity = identities.get(row.sample ?? '');
    for (const [property, column] of maps.slice(2)) {
      const record = toRecord(identity?.[column]);
      if (Object.keys(record).length > 0) row.properties[property] = record;
    }
  });
}
