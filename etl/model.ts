import type { ByteString } from './byte-string';
import type { Instant } from './instant';
import type { Pipeline } from './window';

/*
 * The content of ETL files. Fields have the names of the ETL format. Every structure keeps its own codec version. A
 * null map or list differs from an empty one. All strings are byte strings. Values must not be changed after they are
 * created. A merge creates new values, which share their unchanged parts with the inputs.
 *
 * Costs are in the cluster's pricing currency. Fields with `hours` or `bytes` in their names are in that unit. Averages
 * are over the time from the record's `start` to its `end`.
 */

/** A time span from `start` (inclusive) to `end` (exclusive). Null means that the time span is open on that side. */
export interface TimeWindow {
  version: number;
  start: Instant | null;
  end: Instant | null;
}

export type StringMap = Map<ByteString, ByteString>;

export interface AllocationProperties {
  version: number;
  cluster: ByteString;
  node: ByteString;
  container: ByteString;
  controller: ByteString;
  controllerKind: ByteString;
  namespace: ByteString;
  pod: ByteString;
  services: ByteString[] | null;
  providerID: ByteString;
  labels: StringMap | null;
  annotations: StringMap | null;
  namespaceLabels: StringMap | null;
  namespaceAnnotations: StringMap | null;
}

export interface PVKey {
  version: number;
  cluster: ByteString;
  name: ByteString;
}

export interface PVAllocation {
  version: number;
  byteHours: number;
  cost: number;
  providerID: ByteString;
}

/**
 * One persistent volume of an allocation. Within an allocation, each combination of cluster and name occurs only once.
 */
export interface PVEntry {
  key: PVKey;
  value: PVAllocation | null;
}

export interface LbAllocation {
  version: number;
  service: ByteString;
  cost: number;
  private: boolean;
  ip: ByteString;
  hours: number;
}

export interface RawAllocationOnlyData {
  version: number;
  cpuCoreUsageMax: number;
  ramBytesUsageMax: number;
  gpuUsageMax: number | null;
}

export interface GPUAllocation {
  version: number;
  gpuDevice: ByteString;
  gpuModel: ByteString;
  gpuUUID: ByteString;
  isGpuShared: boolean | null;
  gpuUsageAverage: number | null;
  gpuRequestAverage: number | null;
}

/**
 * Usage and cost of a workload. Some allocations stand for idle cost, external cost or the cost of unmounted volumes
 * instead.
 */
export interface Allocation {
  version: number;
  /** The record's identity: `cluster/node/namespace/pod/container`. */
  name: ByteString;
  properties: AllocationProperties | null;
  window: TimeWindow;
  start: Instant;
  end: Instant;
  cpuCoreHours: number;
  cpuCoreRequestAverage: number;
  cpuCoreUsageAverage: number;
  cpuCost: number;
  cpuCostAdjustment: number;
  gpuHours: number;
  gpuCost: number;
  gpuCostAdjustment: number;
  networkTransferBytes: number;
  networkReceiveBytes: number;
  networkCost: number;
  networkCrossZoneCost: number;
  networkCrossRegionCost: number;
  networkInternetCost: number;
  networkCostAdjustment: number;
  loadBalancerCost: number;
  loadBalancerCostAdjustment: number;
  pvs: PVEntry[] | null;
  pvCostAdjustment: number;
  ramByteHours: number;
  ramBytesRequestAverage: number;
  ramBytesUsageAverage: number;
  ramCost: number;
  ramCostAdjustment: number;
  sharedCost: number;
  externalCost: number;
  rawAllocationOnly: RawAllocationOnlyData | null;
  loadBalancers: Map<ByteString, LbAllocation | null> | null;
  deprecatedGpuRequestAverage: number;
  deprecatedGpuUsageAverage: number;
  gpuAllocation: GPUAllocation | null;
  cpuCoreLimitAverage: number;
  ramBytesLimitAverage: number;
  networkNatGatewayEgressCost: number;
  networkNatGatewayIngressCost: number;
}

/** The allocations of one window, from one or many clusters. */
export interface AllocationSet {
  kind: 'allocations';
  version: number;
  allocations: Map<ByteString, Allocation | null> | null;
  externalKeys: Map<ByteString, boolean> | null;
  idleKeys: Map<ByteString, boolean> | null;
  fromSource: ByteString;
  window: TimeWindow;
  warnings: ByteString[] | null;
  errors: ByteString[] | null;
}

export interface AssetProperties {
  version: number;
  category: ByteString;
  provider: ByteString;
  account: ByteString;
  project: ByteString;
  service: ByteString;
  cluster: ByteString;
  name: ByteString;
  providerID: ByteString;
}

/** Fractions of a whole, each from 0 to 1. */
export interface Breakdown {
  version: number;
  idle: number;
  other: number;
  system: number;
  user: number;
}

export interface NodeOverhead {
  version: number;
  cpuOverheadFraction: number;
  ramOverheadFraction: number;
  overheadCostFraction: number;
}

interface AssetBase<Type extends string> {
  type: Type;
  /** Name of the asset's Go type, as the writer of the file stored it. The part after its last dot is `type`. */
  typeName: ByteString;
  version: number;
  properties: AssetProperties | null;
  labels: StringMap | null;
  window: TimeWindow;
}

interface TimedAsset<Type extends string> extends AssetBase<Type> {
  start: Instant;
  end: Instant;
  adjustment: number;
}

export interface AnyAsset extends TimedAsset<'Any'> {
  cost: number;
}

export interface CloudAsset extends TimedAsset<'Cloud'> {
  cost: number;
  credit: number;
}

export interface ClusterManagementAsset extends AssetBase<'ClusterManagement'> {
  cost: number;
  adjustment: number;
}

export interface DiskAsset extends TimedAsset<'Disk'> {
  cost: number;
  byteHours: number;
  /** Fraction of the disk that is local to a node, 0 to 1. */
  local: number;
  breakdown: Breakdown | null;
  storageClass: ByteString;
  byteHoursUsed: number | null;
  byteUsageMax: number | null;
  volumeName: ByteString;
  claimName: ByteString;
  claimNamespace: ByteString;
}

export interface LoadBalancerAsset extends TimedAsset<'LoadBalancer'> {
  cost: number;
  private: boolean;
  ip: ByteString;
}

export interface NetworkAsset extends TimedAsset<'Network'> {
  cost: number;
}

export interface NodeAsset extends TimedAsset<'Node'> {
  nodeType: ByteString;
  cpuCoreHours: number;
  ramByteHours: number;
  gpuHours: number;
  cpuBreakdown: Breakdown | null;
  ramBreakdown: Breakdown | null;
  cpuCost: number;
  gpuCost: number;
  gpuCount: number;
  ramCost: number;
  /** Fraction (0 to 1) by which the costs of CPU and RAM are reduced. */
  discount: number;
  preemptible: number;
  overhead: NodeOverhead | null;
}

export interface SharedAsset extends AssetBase<'SharedAsset'> {
  cost: number;
}

/** A billed resource, such as a node, a disk or a load balancer. */
export type Asset =
  | AnyAsset
  | CloudAsset
  | ClusterManagementAsset
  | DiskAsset
  | LoadBalancerAsset
  | NetworkAsset
  | NodeAsset
  | SharedAsset;

export type AssetType = Asset['type'];

/** An asset of the given type. */
export type AssetOf<Type extends AssetType> = Extract<Asset, { type: Type }>;

/** The assets of one window, from one or many clusters. */
export interface AssetSet {
  kind: 'assets';
  version: number;
  /**
   * Parts of the records' keys: names of properties, `type`, or `label:<name>`. If null or empty, the parts are
   * `usualWords`.
   */
  aggregationKeys: ByteString[] | null;
  assets: Map<ByteString, Asset | null> | null;
  fromSource: ByteString;
  window: TimeWindow;
  warnings: ByteString[] | null;
  errors: ByteString[] | null;
}

/** The set type of each pipeline. */
export interface SetOf {
  allocations: AllocationSet;
  assets: AssetSet;
}

/** The record type of each pipeline. */
export interface RecordOf {
  allocations: Allocation;
  assets: Asset;
}

/** The fields that all set types have in common. */
export interface CommonSet {
  version: number;
  fromSource: ByteString;
  window: TimeWindow;
  warnings: ByteString[] | null;
  errors: ByteString[] | null;
}

export type RecordMap<R> = Map<ByteString, R | null>;

/**
 * Compile-time check: `kind` of each set type must be the name of its pipeline, and a field of that name must hold the
 * records.
 */
type WholeSets = {
  [P in Pipeline]: CommonSet & { kind: P } & { [Records in P]: RecordMap<RecordOf[P]> | null };
};
type Checked<Sets extends WholeSets> = Sets[Pipeline];

export type EtlSet = Checked<SetOf>;
export type EtlRecord = RecordOf[Pipeline];

/** Returns the records of a set, by key. Returns null if the set has no map of records. */
export function recordsOf<P extends Pipeline>(set: SetOf[P]): RecordMap<RecordOf[P]> | null {
  const { kind } = set;
  return (set as unknown as Record<Pipeline, RecordMap<RecordOf[P]> | null>)[kind];
}

/** Returns a copy of the set with the given records instead of its own. */
export function withRecords<P extends Pipeline>(
  set: SetOf[P],
  records: RecordMap<RecordOf[P]> | null,
): SetOf[P] {
  return { ...set, [set.kind]: records };
}

/** Returns whether a set has at least one record. Keys without a record do not count. */
export function hasRecords<P extends Pipeline>(set: SetOf[P]): boolean {
  for (const record of recordsOf<P>(set)?.values() ?? []) {
    if (record !== null) return true;
  }
  return false;
}
