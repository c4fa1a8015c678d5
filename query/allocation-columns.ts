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

/** The allocations of a time window, or a batch of them, as columns. The columns can be transferred between threads. */
export interface AllocationColumns {
  readonly pipeline: 'allocations';
  readonly rows: number;
  /** Number of array elements from the start of one column in `numbers` to the start of the next column. */
  readonly stride: number;
  /**
   * The numeric columns, one after another: start time, end time, maximum CPU, RAM and GPU usage (NaN if not measured),
   * and then the measures in the order of `storedMeasures`.
   */
  readonly numbers: Float64Array;
  /**
   * For each row, the hash of the allocation's identity (its names, labels and other texts). A hash takes `hashWords`
   * array elements.
   */
  readonly hashes: Uint32Array;
  /**
   * The identities of the allocations (their names, labels and other texts), as concatenated JSON texts. Identities
   * that were sent in earlier batches are omitted.
   */
  readonly identities: Uint8Array;
  readonly identityRows: Uint32Array;
  readonly identityEnds: Uint32Array;
  readonly volumes: VolumeColumns;
  readonly loadBalancers: LoadBalancerColumns;
  readonly gpus: GpuColumns;
  readonly notFinite: readonly NotFinite[];
}

/** Returns the arrays whose memory can be transferred to another thread. No two of these arrays share a buffer. */
export function columnArrays(columns: AllocationColumns) {
  const { numbers, hashes, identities, identityRows, identityEnds } = columns;
  return [numbers, hashes, identities, identityRows, identityEnds];
}

/** Names of the columns that come before the measures in `numbers`. */
export const leadingNumbers = ['start', 'end', 'cpuMax', 'ramMax', 'gpuMax'] as const;

/** OpenCost stores idle cost as allocations whose names contain this text. */
const idle = '__idle__';

/**
 * Builds columns from allocations. The allocations are added one at a time, so they need not all be in memory at once.
 */
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
   * @param most maximum number of allocations in the columns
   * @param known hashes of the identities (names, labels and other texts) that the receiver already has. These
   *   identities are omitted from the columns. The builder adds the hashes of new identities to `known`.
   */
  constructor(
    private readonly most: number,
    private readonly known = new HashIndex(),
  ) {
    this.numbers = new Float64Array(most * (leadingNumbers.length + storedMeasures.length));
    this.hashes = new Uint32Array(most * hashWords);
  }

  /** Whether the columns already contain the maximum number of allocations. */
  get full(): boolean {
    return this.rows === this.most;
  }

  /**
   * Adds an allocation. Skips idle cost that OpenCost stored as an allocation. Adding it would count idle cost twice,
   * because queries compute idle cost from the assets.
   */
  add(record: Allocation): void {
    if (record.name.includes(idle)) return;
    const { numbers, most } = this;
    const row = this.rows++;
    this.addIdentity(record, row);
    const finite = this.finite.of(record);
    const raw = record.rawAllocationOnly;
    // Returns NaN ("not measured") for a missing, NaN or infinite value. NaN and infinite values are also reported.
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
 * Concatenates buffers into an array that shares its memory with no other array. Small Node.js buffers share a memory
 * pool, so transferring one of them to another thread would transfer the whole pool.
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

/** For each numeric field of a volume, the sum over all volumes of one allocation. */
type VolumeSums = Readonly<Record<NumberName<PVAllocation>, number>>;

type Reader = (record: Allocation, volumes: VolumeSums) => number;

/**
 * Functions that compute measures of an allocation. Measures that are not listed here are read from the allocation's
 * field with the same name.
 */
const readers: Record<Exclude<StoredMeasure, NumberName<Allocation>>, Reader> = {
  // Format version 22 stores the two GPU averages in the allocation itself. Later versions store them in
  // `gpuAllocation`.
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
