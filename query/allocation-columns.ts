import { displayText } from '../etl/byte-string';
import type { NumberName } from '../etl/field';
import type { Allocation, PVAllocation } from '../etl/model';
import type { NotFinite } from '../etl/not-finite';
import { type Finite, FiniteNumbers } from './finite-numbers';
import { HashIndex, hashWords } from './hash-index';
import { identityKey, identityOf, writeHash } from './identity';
import { type StoredMeasure, storedMeasures } from './measures';
import { seconds } from './seconds';

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

/** The allocations of a window, as columns that can be transferred between threads. */
export interface AllocationColumns {
  readonly pipeline: 'allocations';
  readonly rows: number;
  /** Distance between the starts of two columns in `numbers`, in values. */
  readonly stride: number;
  /**
   * One column after another: start, end, the maxima of CPU, RAM and GPU usage (NaN if not measured), then the stored
   * measures.
   */
  readonly numbers: Float64Array;
  /** Hash of each row's identity, `hashWords` words per row. */
  readonly hashes: Uint32Array;
  /** The identities of the rows as JSON texts, except those that the reader has sent with earlier columns. */
  readonly identities: Uint8Array;
  readonly identityRows: Uint32Array;
  readonly identityEnds: Uint32Array;
  readonly volumes: VolumeColumns;
  readonly loadBalancers: LoadBalancerColumns;
  readonly gpus: GpuColumns;
  readonly notFinite: readonly NotFinite[];
}

/** Returns the arrays to transfer to another thread. This is possible because no two of them share a buffer. */
export function columnArrays(columns: AllocationColumns) {
  const { numbers, hashes, identities, identityRows, identityEnds } = columns;
  return [numbers, hashes, identities, identityRows, identityEnds];
}

/** Names of the columns that precede the measures in `numbers`. */
export const leadingNumbers = ['start', 'end', 'cpuMax', 'ramMax', 'gpuMax'] as const;

/** An allocation whose name contains this text is not a workload: it is idle cost that OpenCost stored. */
const idle = '__idle__';

/** Builds columns from allocations that are added one by one, so that they need not all be in memory. */
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
   * @param most maximum number of records in the columns
   * @param known identities that the receiver already has and that are therefore left out; new ones are added to it
   */
  constructor(
    private readonly most: number,
    private readonly known = new HashIndex(),
  ) {
    this.numbers = new Float64Array(most * (leadingNumbers.length + storedMeasures.length));
    this.hashes = new Uint32Array(most * hashWords);
  }

  /** Whether the columns have no space for another record. */
  get full(): boolean {
    return this.rows === this.most;
  }

  /**
   * Adds a record. Stored idle cost is skipped: answers compute idle cost from the assets, so it would be counted
   * twice.
   */
  add(record: Allocation): void {
    if (record.name.includes(idle)) return;
    const { numbers, most } = this;
    const row = this.rows++;
    this.addIdentity(record, row);
    const finite = this.finite.of(record);
    const raw = record.rawAllocationOnly;
    // A maximum that is NaN or infinite is reported and then stored as NaN, which means "not measured".
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
    if (this.known.get(this.hashes, row) !== 0) return;
    this.known.set(this.hashes, row, 1);
    const text = Buffer.from(JSON.stringify(identityOf(record)));
    this.identityBytes += text.length;
    this.identities.push(text);
    this.identityRows.push(row);
    this.identityEnds.push(this.identityBytes);
  }
}

/**
 * Concatenates buffers into a buffer that shares its memory with none. Small Node buffers share a pool, and transferring
 * one of them would transfer the whole pool.
 */
function concatenated(parts: readonly Buffer[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Sums over the volumes of one allocation. */
type VolumeSums = Readonly<Record<NumberName<PVAllocation>, number>>;

type Reader = (record: Allocation, volumes: VolumeSums) => number;

/** Functions that read those measures for which a record has no field of the same name. */
const readers: Record<Exclude<StoredMeasure, NumberName<Allocation>>, Reader> = {
  // Newer versions of the format store the two GPU averages in the GPU part of a record, older ones in the record
  // itself.
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
