import { hash } from 'node:crypto';
import { type ByteString, displayText } from '../etl/byte-string';
import type { NumberName } from '../etl/field';
import type { Instant } from '../etl/instant';
import type {
  Allocation,
  AllocationSet,
  Asset,
  AssetSet,
  Breakdown,
  EtlSet,
  PVAllocation,
  RecordOf,
  SetOf,
  StringMap,
} from '../etl/model';
import { type NotFinite, NotFiniteCounts } from '../etl/not-finite';
import type { Pipeline } from '../etl/window';
import { HashIndex, hashWords } from './hash-index';
import { type StoredMeasure, storedMeasures } from './measures';

/** What identifies an allocation, as it is stored. */
export interface Identity {
  readonly cluster: string;
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly controller: string;
  readonly controllerKind: string;
  readonly providerID: string;
  readonly services: readonly string[];
  readonly labels: Entries;
  readonly annotations: Entries;
  readonly namespaceLabels: Entries;
  readonly namespaceAnnotations: Entries;
  readonly plain: boolean;
}
/** A map as its keys and values, by key. */
export type Entries = readonly (readonly [string, string])[];

export interface VolumeColumns {
  readonly row: number[];
  readonly cluster: string[];
  readonly name: string[];
  readonly providerID: string[];
  readonly byteHours: number[];
  readonly cost: number[];
}

export interface LoadBalancerColumns {
  readonly row: number[];
  readonly key: string[];
  readonly service: string[];
  readonly ip: string[];
  readonly private: boolean[];
  readonly hours: number[];
  readonly cost: number[];
}

export interface GpuColumns {
  readonly row: number[];
  readonly device: string[];
  readonly model: string[];
  readonly uuid: string[];
  readonly shared: (boolean | null)[];
}

/** Allocations of a window, column by column, in a form that a thread can hand over. */
export interface AllocationColumns {
  readonly pipeline: 'allocations';
  readonly rows: number;
  /** How far one column of `numbers` is from the next. */
  readonly stride: number;
  /** Start, end, the maxima of CPU, RAM and GPU (NaN: none), then the stored measures, one column behind the other. */
  readonly numbers: Float64Array;
  /** The hash of each row's identity, `hashWords` words each. */
  readonly hashes: Uint32Array;
  /** Identities as JSON, of those rows that have one here: the reader left out what it has told before. */
  readonly identities: Uint8Array;
  readonly identityRows: Uint32Array;
  readonly identityEnds: Uint32Array;
  readonly volumes: VolumeColumns;
  readonly loadBalancers: LoadBalancerColumns;
  readonly gpus: GpuColumns;
  readonly notFinite: readonly NotFinite[];
}

/** The arrays of columns that a thread can transfer: each has its buffer to itself. */
export function columnArrays(columns: AllocationColumns) {
  const { numbers, hashes, identities, identityRows, identityEnds } = columns;
  return [numbers, hashes, identities, identityRows, identityEnds];
}

/** The assets of a window: one array for each column of the table behind `file` and `cluster`, in its order. */
export interface AssetColumns {
  readonly pipeline: 'assets';
  readonly rows: number;
  /** The cluster of each row. */
  readonly clusters: string[];
  readonly values: AssetValue[][];
  readonly notFinite: readonly NotFinite[];
}
export type AssetValue = string | number | boolean | null | number[] | [string, string][];

/** The columns of each pipeline. */
export interface ColumnsOf {
  allocations: AllocationColumns;
  assets: AssetColumns;
}

/** A window, or a batch of it. */
export type WindowColumns = ColumnsOf[Pipeline];

/**
 * The allocations of a window that was read to its end and found good, a batch at a time, as all at once would take
 * hundreds of megabytes. They are read once, or given up by `close`.
 */
export interface AllocationBatches {
  readonly pipeline: 'allocations';
  readonly batches: AsyncIterable<AllocationColumns>;
  close(): void;
}

/** Columns of `numbers` before the measures. */
export const leadingNumbers = ['start', 'end', 'cpuMax', 'ramMax', 'gpuMax'] as const;

/** Brings a set into columns. Pure CPU work, for a thread. */
export function toColumns(set: EtlSet): WindowColumns {
  const columnsOf = toColumnsOf[set.kind] as (set: EtlSet) => WindowColumns;
  return columnsOf(set);
}

const toColumnsOf: { readonly [P in Pipeline]: (set: SetOf[P]) => ColumnsOf[P] } = {
  allocations: allocationColumns,
  assets: assetColumns,
};

function allocationColumns(set: AllocationSet): AllocationColumns {
  const builder = new AllocationColumnsBuilder(set.allocations?.size ?? 0);
  for (const record of set.allocations?.values() ?? []) if (record !== null) builder.add(record);
  return builder.finish();
}

/** Puts allocations into columns one by one, so that they need not all be held. */
export class AllocationColumnsBuilder {
  private rows = 0;
  private readonly numbers: Float64Array;
  private readonly hashes: Uint32Array;
  private readonly identities: Buffer[] = [];
  private readonly identityRows: number[] = [];
  private readonly identityEnds: number[] = [];
  private identityBytes = 0;
  private readonly volumes: VolumeColumns = {
    row: [],
    cluster: [],
    name: [],
    providerID: [],
    byteHours: [],
    cost: [],
  };
  private readonly loadBalancers: LoadBalancerColumns = {
    row: [],
    key: [],
    service: [],
    ip: [],
    private: [],
    hours: [],
    cost: [],
  };
  private readonly gpus: GpuColumns = { row: [], device: [], model: [], uuid: [], shared: [] };
  private readonly finite = new FiniteNumbers('allocations');

  /**
   * @param most how many records there can be
   * @param told identities that are known where the columns go; those that are new are added
   */
  constructor(
    private readonly most: number,
    private readonly told = new HashIndex(),
  ) {
    this.numbers = new Float64Array(most * (leadingNumbers.length + storedMeasures.length));
    this.hashes = new Uint32Array(most * hashWords);
  }

  /** Whether no more records can be added. */
  get full(): boolean {
    return this.rows === this.most;
  }

  /** Idle that was stored is passed over: it is computed from the assets, and would be there twice. */
  add(record: Allocation): void {
    if (record.name.includes(idle)) return;
    const { numbers, most } = this;
    const row = this.rows++;
    this.addIdentity(record, row);
    const finite = this.finite.of(record);
    const raw = record.rawAllocationOnly;
    // What is no number is told, too, and is as if it was not measured.
    const maximum = (value: number | null | undefined, field: string) =>
      value === null || value === undefined || finite(value, field) !== value ? NaN : value;
    numbers[row] = seconds(record.start);
    numbers[most + row] = seconds(record.end);
    numbers[2 * most + row] = maximum(raw?.cpuCoreUsageMax, 'cpuCoreUsageMax');
    numbers[3 * most + row] = maximum(raw?.ramBytesUsageMax, 'ramByteUsageMax');
    numbers[4 * most + row] = maximum(raw?.gpuUsageMax, 'gpuUsageMax');
    const volumes = addVolumes(this.volumes, record, row, finite);
    let at = leadingNumbers.length * most + row;
    for (const [measure, read] of measureReaders) {
      numbers[at] = finite(read(record, volumes), measure);
      at += most;
    }
    addLoadBalancers(this.loadBalancers, record, row, finite);
    addGpu(this.gpus, record, row);
  }

  finish(): AllocationColumns {
    return {
      pipeline: 'allocations',
      rows: this.rows,
      stride: this.most,
      numbers: this.numbers,
      hashes: this.hashes,
      identities: concatenated(this.identities, this.identityBytes),
      identityRows: Uint32Array.from(this.identityRows),
      identityEnds: Uint32Array.from(this.identityEnds),
      volumes: this.volumes,
      loadBalancers: this.loadBalancers,
      gpus: this.gpus,
      notFinite: this.finite.found,
    };
  }

  private addIdentity(record: Allocation, row: number): void {
    writeHash(identityKey(record), this.hashes, row);
    if (this.told.get(this.hashes, row) !== 0) return;
    this.told.set(this.hashes, row, 1);
    const text = Buffer.from(JSON.stringify(identityOf(record)));
    this.identityBytes += text.length;
    this.identities.push(text);
    this.identityRows.push(row);
    this.identityEnds.push(this.identityBytes);
  }
}

/** Writes the hash of a text to its place in an array of hashes. */
export function writeHash(text: string, hashes: Uint32Array, at: number): void {
  // A text of its bytes, as a buffer for each would be garbage that takes longer to collect.
  const digest = hash('sha256', text, 'binary');
  for (let word = 0; word < hashWords; word++) {
    let value = 0;
    for (let byte = 4 * word; byte < 4 * word + 4; byte++) value = (value << 8) | digest.charCodeAt(byte);
    hashes[at * hashWords + word] = value;
  }
}

/** In memory of its own: a small buffer shares its memory with others, and would be handed over with it. */
function concatenated(parts: readonly Buffer[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const nothing = '-';

/** A text that two allocations share only when all that identifies them is the same. */
function identityKey({ name, properties }: Allocation): string {
  if (properties === null) return `${sized(name)}${nothing}`;
  return (
    sized(properties.cluster) +
    sized(properties.node) +
    sized(properties.namespace) +
    sized(properties.pod) +
    sized(properties.container) +
    sized(properties.controller) +
    sized(properties.controllerKind) +
    sized(properties.providerID) +
    `${properties.services?.length ?? 0};${(properties.services ?? []).map(sized).join('')}` +
    mapKey(properties.labels) +
    mapKey(properties.annotations) +
    mapKey(properties.namespaceLabels) +
    mapKey(properties.namespaceAnnotations)
  );
}

/** With its length in front, so that no two lists of texts give the same one. */
function sized(text: ByteString): string {
  return `${text.length}:${text}`;
}

/** A map's order in a file means nothing. */
function mapKey(map: StringMap | null): string {
  if (map === null || map.size === 0) return nothing;
  const parts: string[] = [];
  for (const [key, value] of map) parts.push(sized(key) + sized(value));
  return `${parts.length};${parts.sort().join('')}`;
}

/** The number, or 0 where it is NaN or infinite. */
type Finite = (value: number, field: string) => number;

/** Sums of a NaN are NaN: one broken number would take a whole cluster's cost with it. So it counts as 0, and is told. */
class FiniteNumbers<P extends Pipeline> {
  private readonly counts: NotFiniteCounts<P>;

  constructor(pipeline: P) {
    this.counts = new NotFiniteCounts(pipeline);
  }

  /** Takes the numbers of a record. */
  of(record: RecordOf[P]): Finite {
    return (value, field) => {
      if (Number.isFinite(value)) return value;
      this.counts.add(record, field);
      return 0;
    };
  }

  get found(): NotFinite[] {
    return this.counts.found;
  }
}

function seconds({ seconds: whole, nanos }: Instant): number {
  return whole + nanos / 1e9;
}

const unmounted = '__unmounted__';
const idle = '__idle__';

function identityOf(record: Allocation): Identity {
  const properties = record.properties;
  // A record without properties still has its name.
  const parts = properties === null ? record.name.split('/') : [];
  const [cluster, node, namespace, pod, container] = parts.length === 5 ? parts : [];
  const text = (value: ByteString | undefined, otherwise?: ByteString) =>
    displayText(value ?? otherwise ?? '');
  const identity = {
    cluster: text(properties?.cluster, cluster ?? record.name.slice(0, `${record.name}/`.indexOf('/'))),
    node: text(properties?.node, node),
    namespace: text(properties?.namespace, namespace),
    pod: text(properties?.pod, pod),
    container: text(properties?.container, container),
    controller: text(properties?.controller),
    controllerKind: text(properties?.controllerKind),
    providerID: text(properties?.providerID),
    services: (properties?.services ?? []).map(displayText),
    labels: entries(properties?.labels),
    annotations: entries(properties?.annotations),
    namespaceLabels: entries(properties?.namespaceLabels),
    namespaceAnnotations: entries(properties?.namespaceAnnotations),
  };
  return { ...identity, plain: identity.container !== unmounted };
}

/** Sorted, as a map's order in a file means nothing. */
function entries(map: StringMap | null | undefined): [string, string][] {
  const texts = new Map([...(map ?? [])].map(([key, value]) => [displayText(key), displayText(value)]));
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The sums over the volumes of an allocation. */
type VolumeSums = Readonly<Record<NumberName<PVAllocation>, number>>;

type Reader = (record: Allocation, volumes: VolumeSums) => number;

/** Measures that are not a field of the same name. */
const readers: Record<Exclude<StoredMeasure, NumberName<Allocation>>, Reader> = {
  // Newer agents have them in the GPU part, older ones beside it.
  gpuRequestAverage: (record) =>
    record.gpuAllocation?.gpuRequestAverage ?? record.deprecatedGpuRequestAverage,
  gpuUsageAverage: (record) => record.gpuAllocation?.gpuUsageAverage ?? record.deprecatedGpuUsageAverage,
  pvByteHours: (_, volumes) => volumes.byteHours,
  pvCost: (_, volumes) => volumes.cost,
  ramByteRequestAverage: (record) => record.ramBytesRequestAverage,
  ramByteUsageAverage: (record) => record.ramBytesUsageAverage,
  ramByteLimitAverage: (record) => record.ramBytesLimitAverage,
};

function isRead(measure: StoredMeasure): measure is keyof typeof readers {
  return Object.hasOwn(readers, measure);
}

const measureReaders = storedMeasures.map((measure): readonly [StoredMeasure, Reader] => [
  measure,
  isRead(measure) ? readers[measure] : (record) => record[measure],
]);

function addVolumes(columns: VolumeColumns, record: Allocation, row: number, finite: Finite): VolumeSums {
  const sums = { byteHours: 0, cost: 0 };
  for (const { key, value } of record.pvs ?? []) {
    if (value === null) continue;
    const byteHours = finite(value.byteHours, 'pvs.byteHours');
    const cost = finite(value.cost, 'pvs.cost');
    columns.row.push(row);
    columns.cluster.push(displayText(key.cluster));
    columns.name.push(displayText(key.name));
    columns.providerID.push(displayText(value.providerID));
    columns.byteHours.push(byteHours);
    columns.cost.push(cost);
    sums.byteHours += byteHours;
    sums.cost += cost;
  }
  return sums;
}

function addLoadBalancers(
  columns: LoadBalancerColumns,
  record: Allocation,
  row: number,
  finite: Finite,
): void {
  for (const [key, value] of record.loadBalancers ?? []) {
    if (value === null) continue;
    columns.row.push(row);
    columns.key.push(displayText(key));
    columns.service.push(displayText(value.service));
    columns.ip.push(displayText(value.ip));
    columns.private.push(value.private);
    columns.hours.push(finite(value.hours, 'lbAllocations.hours'));
    columns.cost.push(finite(value.cost, 'lbAllocations.cost'));
  }
}

function addGpu(columns: GpuColumns, { gpuAllocation: gpu }: Allocation, row: number): void {
  if (gpu === null) return;
  columns.row.push(row);
  columns.device.push(displayText(gpu.gpuDevice));
  columns.model.push(displayText(gpu.gpuModel));
  columns.uuid.push(displayText(gpu.gpuUUID));
  columns.shared.push(gpu.isGpuShared);
}

function assetColumns(set: AssetSet): AssetColumns {
  const records = [...(set.assets?.values() ?? [])].filter((record) => record !== null);
  const numbers = new FiniteNumbers('assets');
  const each = records.map((record) => [record, numbers.of(record)] as const);
  const read = (field: AssetFieldReader) => each.map(([record, finite]) => field(record, finite, set));
  return {
    pipeline: 'assets',
    rows: records.length,
    clusters: records.map((record) => displayText(record.properties?.cluster ?? '')),
    values: assetFields.map(([, field]) => read(field)),
    notFinite: numbers.found,
  };
}

type AssetFieldReader = (record: Asset, finite: Finite, set: AssetSet) => AssetValue;

function property(
  name: 'category' | 'provider' | 'account' | 'project' | 'service' | 'cluster' | 'name' | 'providerID',
): AssetFieldReader {
  return (record) => displayText(record.properties?.[name] ?? '');
}

/** A field of the types that have it; null for the others. */
function only<Type extends Asset['type']>(
  type: Type,
  read: (record: Extract<Asset, { type: Type }>, finite: Finite) => AssetValue,
): AssetFieldReader {
  return (record, finite) =>
    record.type === type ? read(record as Extract<Asset, { type: Type }>, finite) : null;
}

function shares(breakdown: Breakdown | null, finite: Finite): number[] {
  const { idle = 0, other = 0, system = 0, user = 0 } = breakdown ?? {};
  return [idle, other, system, user].map((share) => finite(share, 'breakdown'));
}

type NodeAsset = Extract<Asset, { type: 'Node' }>;
type DiskAsset = Extract<Asset, { type: 'Disk' }>;
const node = (read: (record: NodeAsset, finite: Finite) => AssetValue) => only('Node', read);
const disk = (read: (record: DiskAsset, finite: Finite) => AssetValue) => only('Disk', read);
const loadBalancer = (read: (record: Extract<Asset, { type: 'LoadBalancer' }>) => AssetValue) =>
  only('LoadBalancer', read);

/** The columns of the table `asset` behind `file` and `cluster`, by name. */
export const assetFields: readonly (readonly [column: string, read: AssetFieldReader])[] = [
  ['type', (record) => (record.type === 'SharedAsset' ? 'Shared' : record.type)],
  ['category', property('category')],
  ['provider', property('provider')],
  ['account', property('account')],
  ['project', property('project')],
  ['service', property('service')],
  ['cluster_name', property('cluster')],
  ['name', property('name')],
  ['provider_id', property('providerID')],
  ['labels', (record) => entries(record.labels)],
  // Types without times of their own have those of their window, or of the set.
  [
    'start_at',
    (record, _, set) =>
      seconds(('start' in record ? record.start : (record.window.start ?? set.window.start)) ?? zero),
  ],
  [
    'end_at',
    (record, _, set) =>
      seconds(('end' in record ? record.end : (record.window.end ?? set.window.end)) ?? zero),
  ],
  ['cost', (record, finite) => ('cost' in record ? finite(record.cost, 'cost') : 0)],
  ['adjustment', (record, finite) => ('adjustment' in record ? finite(record.adjustment, 'adjustment') : 0)],
  ['credit', (record, finite) => (record.type === 'Cloud' ? finite(record.credit, 'credit') : 0)],
  ['node_type', node((record) => displayText(record.nodeType))],
  ['cpu_core_hours', node((record, finite) => finite(record.cpuCoreHours, 'cpuCoreHours'))],
  ['ram_byte_hours', node((record, finite) => finite(record.ramByteHours, 'ramByteHours'))],
  ['gpu_hours', node((record, finite) => finite(record.gpuHours, 'GPUHours'))],
  ['gpu_count', node((record, finite) => finite(record.gpuCount, 'gpuCount'))],
  ['cpu_cost', node((record, finite) => finite(record.cpuCost, 'cpuCost'))],
  ['gpu_cost', node((record, finite) => finite(record.gpuCost, 'gpuCost'))],
  ['ram_cost', node((record, finite) => finite(record.ramCost, 'ramCost'))],
  ['discount', node((record, finite) => finite(record.discount, 'discount'))],
  ['preemptible', node((record, finite) => finite(record.preemptible, 'preemptible'))],
  ['cpu_breakdown', node((record, finite) => shares(record.cpuBreakdown, finite))],
  ['ram_breakdown', node((record, finite) => shares(record.ramBreakdown, finite))],
  [
    'overhead',
    node(({ overhead }, finite) =>
      overhead === null
        ? null
        : [overhead.cpuOverheadFraction, overhead.ramOverheadFraction, overhead.overheadCostFraction].map(
            (share) => finite(share, 'overhead'),
          ),
    ),
  ],
  ['byte_hours', disk((record, finite) => finite(record.byteHours, 'byteHours'))],
  [
    'byte_hours_used',
    disk(({ byteHoursUsed }, finite) =>
      byteHoursUsed === null ? null : finite(byteHoursUsed, 'byteHoursUsed'),
    ),
  ],
  [
    'byte_usage_max',
    disk(({ byteUsageMax }, finite) => (byteUsageMax === null ? null : finite(byteUsageMax, 'byteUsageMax'))),
  ],
  ['disk_breakdown', disk((record, finite) => shares(record.breakdown, finite))],
  ['storage_class', disk((record) => displayText(record.storageClass))],
  ['volume_name', disk((record) => displayText(record.volumeName))],
  ['claim_name', disk((record) => displayText(record.claimName))],
  ['claim_namespace', disk((record) => displayText(record.claimNamespace))],
  ['private', loadBalancer((record) => record.private)],
  ['ip', loadBalancer((record) => displayText(record.ip))],
];

const zero: Instant = { seconds: 0, nanos: 0, zoneMinutes: -1, zoneSeconds: null };
