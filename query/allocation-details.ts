import type { DuckDBConnection } from '@duckdb/node-api';
import type { AllocationProperties, GpuUse } from './answer';
import { sourceTables, type SourceOptions } from './allocation-source';
import type { FoundRow } from './allocations';
import { type Row, rowsOf } from './database';
import { agreed } from './rollup';
import { Bindings } from './sql';

/**
 * Adds to rows what is not a sum: volumes, load balancers and GPUs of all members; labels, services and maxima of rows
 * that are a single container's; the labels of a namespace where all members are in namespaces of one name.
 */
export async function addDetails(
  connection: DuckDBConnection,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  const found = rows.filter(({ sample }) => sample !== undefined);
  if (found.length === 0) return;
  const byKey = new Map(found.map((row) => [`${row.period} ${row.name}`, row]));
  const rowOf = (row: Row) => byKey.get(`${String(row['period'])} ${String(row['key'])}`);
  // What lies beside an allocation is few beside the allocations themselves.
  const beside = async (from: NonNullable<SourceOptions['from']>, columns: string, groups: string) => {
    const bindings = new Bindings();
    const tables = sourceTables({ ...source, rolledUp: false, from }, bindings);
    const select = `select period, key, ${columns} from source where kept and not shared group by period, key${groups}`;
    return rowsOf(connection, `${tables} ${select}`, bindings.values);
  };
  if (source.request.volumes !== false) await addVolumes(beside, rowOf);
  const gpus = await beside(
    'allocation_gpu',
    `${agreed('device')} as device, ${agreed('model')} as model, ${agreed('uuid')} as uuid, bool_or(gpu_shared) as gpu_shared`,
    '',
  );
  for (const gpu of gpus) {
    const row = rowOf(gpu);
    if (row !== undefined) row.gpuAllocation = gpuUse(gpu, row);
  }
  await addMetadata(connection, source, found);
}

type Beside = (from: NonNullable<SourceOptions['from']>, columns: string, groups: string) => Promise<Row[]>;

/** Lists volumes and load balancers one by one. */
async function addVolumes(beside: Beside, rowOf: (row: Row) => FoundRow | undefined): Promise<void> {
  const volumes = await beside(
    'allocation_pv',
    'pv_cluster, pv_name, max(pv_provider_id) as provider_id, sum(byte_hours) as byte_hours, sum(cost) as cost',
    ', pv_cluster, pv_name',
  );
  for (const volume of volumes) {
    const row = rowOf(volume);
    if (row === undefined) continue;
    row.pvs ??= {};
    row.pvs[`cluster=${text(volume['pv_cluster'])}:name=${text(volume['pv_name'])}`] = {
      byteHours: Number(volume['byte_hours']),
      cost: Number(volume['cost']),
      providerID: text(volume['provider_id']),
    };
  }
  const loadBalancers = await beside(
    'allocation_lb',
    'lb, min(service) as service, min(ip) as ip, bool_or(private) as private, sum(hours) as hours, sum(cost) as cost',
    ', lb',
  );
  for (const balancer of loadBalancers) {
    const row = rowOf(balancer);
    if (row === undefined) continue;
    row.lbAllocations ??= {};
    row.lbAllocations[text(balancer['lb'])] = {
      service: text(balancer['service']),
      cost: Number(balancer['cost']),
      private: balancer['private'] === true,
      ip: text(balancer['ip']),
      hours: Number(balancer['hours']),
    };
  }
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
  connection: DuckDBConnection,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  const single = rows.filter((row) => row.single !== undefined);
  await addSingles(connection, source, single);
  const { aggregatedMetadata } = source.request;
  const merged = rows.filter((row) => row.single === undefined && row.properties.namespace !== undefined);
  if (aggregatedMetadata) await addCommon(connection, source, merged);
  await addNamespaces(connection, merged, source.substituted);
}

/** Identities by their number. */
async function readIdentities(
  connection: DuckDBConnection,
  ids: Iterable<number>,
  columns: readonly string[],
  substituted = false,
): Promise<Map<number, Row>> {
  const bindings = new Bindings();
  const rows = await rowsOf(
    connection,
    // Maps of millions are not read for the sake of a few.
    `select id, ${columns.join(', ')} from ${substituted ? '(select * from identity union all by name select * from substitute_identity)' : 'identity'} where id in (select unnest(${bindings.integers([...new Set(ids)])}))`,
    bindings.values,
  );
  return new Map(rows.map((row) => [Number(row['id']), row]));
}

async function addSingles(
  connection: DuckDBConnection,
  { wholeFiles }: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const bindings = new Bindings();
  const names = bindings.integers([...new Set(rows.map(({ single }) => single?.name ?? 0))]);
  const members = await rowsOf(
    connection,
    `select p.step, i.name, a.identity, min(f.window_start)::double as first, max(f.window_start)::double as last,
  max(cpu_max) as cpu, max(ram_max) as ram, max(gpu_max) as gpu
from allocation a join identity i on i.id = a.identity
join pick p on p.file = a.file${wholeFiles ? '' : ' and p.cluster = a.cluster'} join file f on f.id = a.file
where i.name in (select unnest(${names}))
group by all order by last, a.identity`,
    bindings.values,
  );
  const identities = await readIdentities(
    connection,
    members.map((member) => Number(member['identity'])),
    ['services', ...maps.map(([, column]) => column)],
  );
  const byName = Map.groupBy(members, (member) => `${text(member['step'])} ${text(member['name'])}`);
  for (const row of rows) {
    const own = byName.get(`${row.single?.step} ${row.single?.name}`) ?? [];
    const services = [...own]
      .sort((a, b) => Number(a['first']) - Number(b['first']))
      .flatMap(
        (member) => (identities.get(Number(member['identity']))?.['services'] as string[] | undefined) ?? [],
      );
    if (services.length > 0) row.properties.services = [...new Set(services)];
    for (const member of own) {
      const identity = identities.get(Number(member['identity']));
      if (identity !== undefined) addUnion(row.properties, identity);
      addMaxima(row, member);
    }
  }
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

/** The later identity wins on a key. */
function addUnion(properties: AllocationProperties, identity: Row): void {
  for (const [property, column] of maps) {
    const union = { ...properties[property], ...toRecord(identity[column]) };
    if (Object.keys(union).length > 0) properties[property] = union;
  }
}

/** A map as it is read from the database. */
function toRecord(value: unknown): Record<string, string> {
  const entries = (value as { key: string; value: string }[] | null) ?? [];
  return Object.fromEntries(entries.map((entry) => [entry.key, entry.value]));
}

/** The labels and annotations that all members have. */
async function addCommon(
  connection: DuckDBConnection,
  source: SourceOptions,
  rows: readonly FoundRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const bindings = new Bindings();
  const members = await rowsOf(
    connection,
    `${sourceTables({ ...source, rolledUp: false }, bindings)}
select distinct period, key, sample from source where kept and not shared`,
    bindings.values,
  );
  const byKey = Map.groupBy(members, (member) => `${text(member['period'])} ${text(member['key'])}`);
  const identities = await readIdentities(
    connection,
    members.map((member) => Number(member['sample'])),
    ['labels', 'annotations'],
    source.substituted,
  );
  for (const row of rows) {
    const own = (byKey.get(`${row.period} ${row.name}`) ?? []).map((member) =>
      identities.get(Number(member['sample'])),
    );
    for (const map of ['labels', 'annotations'] as const) {
      const common = intersection(own.map((identity) => toRecord(identity?.[map])));
      if (Object.keys(common).length > 0) row.properties[map] = common;
    }
  }
}

function intersection(records: readonly Record<string, string>[]): Record<string, string> {
  const [first = {}, ...others] = records;
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => others.every((other) => other[key] === value)),
  );
}

async function addNamespaces(
  connection: DuckDBConnection,
  rows: readonly FoundRow[],
  substituted: boolean,
): Promise<void> {
  if (rows.length === 0) return;
  const identities = await readIdentities(
    connection,
    rows.map(({ sample }) => sample ?? 0),
    ['namespace_labels', 'namespace_annotations'],
    substituted,
  );
  for (const row of rows) {
    const identity = identities.get(row.sample ?? 0);
    for (const [property, column] of maps.slice(2)) {
      const record = toRecord(identity?.[column]);
      if (Object.keys(record).length > 0) row.properties[property] = record;
    }
  }
}
