import type { AssetOf, AssetType, Breakdown as StoredBreakdown } from '../etl/model';
import type { StoredFieldName } from './asset-fields';
import type { Measure } from './measures';
import type { Span } from './span';

/** Properties of a group of allocations. A property is absent if the members of the group differ in its value. */
export interface AllocationProperties {
  cluster?: string;
  node?: string;
  container?: string;
  controller?: string;
  controllerKind?: string;
  namespace?: string;
  pod?: string;
  services?: string[];
  providerID?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  namespaceLabels?: Record<string, string>;
  namespaceAnnotations?: Record<string, string>;
}

export interface PersistentVolumeUse {
  byteHours: number;
  cost: number;
  providerID: string;
}

export interface LoadBalancerUse {
  service: string;
  cost: number;
  private: boolean;
  ip: string;
  hours: number;
}

export interface GpuUse {
  gpuDevice: string;
  gpuModel: string;
  gpuUUID: string;
  isGPUShared: boolean | null;
  gpuUsageAverage: number | null;
  gpuRequestAverage: number | null;
}

/**
 * A row of an answer: an allocation, a group of them, or idle cost. Costs are in the currency of the clusters. They
 * exclude adjustments, which have fields of their own. Averages cover the time from `start` to `end`.
 */
export interface AllocationRow extends Record<Measure, number> {
  name: string;
  properties: AllocationProperties;
  /** The window of the set that the row belongs to. */
  window: Span;
  /** Unix seconds, perhaps with a fraction. */
  start: number;
  end: number;
  pvs: Record<string, PersistentVolumeUse> | null;
  lbAllocations: Record<string, LoadBalancerUse> | null;
  gpuAllocation: GpuUse | null;
  /** Present only for a single allocation. */
  rawAllocationOnly: { cpuCoreUsageMax: number; ramByteUsageMax: number; gpuUsageMax: number | null } | null;
}

/** The rows of one span of time, in the requested order. */
export interface AllocationSet {
  readonly window: Span;
  readonly rows: readonly AllocationRow[];
}

/** Metadata of an answer. */
export interface AnswerNotes {
  /** Sentences about missing or suspicious data and about ignored parameters. */
  readonly warnings: readonly string[];
  /** The generation that the answer is computed from; absent if the server has only a local store. */
  readonly generation?: number;
}

export interface AllocationAnswer extends AnswerNotes {
  /** In time order; at least one. */
  readonly sets: readonly AllocationSet[];
  readonly window: Span;
}

export interface AssetProperties {
  category?: string;
  provider?: string;
  account?: string;
  project?: string;
  service?: string;
  cluster?: string;
  name?: string;
  providerID?: string;
}

export interface Breakdown {
  idle: number;
  other: number;
  system: number;
  user: number;
}

/** Fields that rows of all asset types have. */
export interface AssetRowBase {
  key: string;
  properties: AssetProperties;
  labels: Record<string, string>;
  /** The window of the set that the row belongs to. */
  window: Span;
  /** Unix seconds, perhaps with a fraction. */
  start: number;
  end: number;
  adjustment: number;
  totalCost: number;
}

/** The fields that are specific to a type of assets, with the types of their values in answers. */
type OwnFields<Type extends AssetType> = {
  [Name in Exclude<StoredFieldName<Type>, 'cost' | 'adjustment'>]: Answered<AssetOf<Type>[Name]>;
};

/**
 * The type that a stored field has in an answer. A missing breakdown becomes one whose shares are 0, and the `version`
 * of a breakdown is omitted.
 */
type Answered<T> = [T] extends [StoredBreakdown | null]
  ? Breakdown
  : T extends { version: number }
    ? Omit<T, 'version'>
    : T;

/** `discount` and `preemptible` are fractions from 0 to 1. */
export interface NodeRow extends AssetRowBase, OwnFields<'Node'> {
  type: 'Node';
  pool: string;
}

export interface DiskRow extends AssetRowBase, OwnFields<'Disk'> {
  type: 'Disk';
}

export interface LoadBalancerRow extends AssetRowBase, OwnFields<'LoadBalancer'> {
  type: 'LoadBalancer';
}

export interface CloudRow extends AssetRowBase, OwnFields<'Cloud'> {
  type: 'Cloud';
}

/** The type `Any` stands for assets of several types that are merged into one row. */
export interface PlainRow
  extends AssetRowBase, OwnFields<'Network' | 'ClusterManagement' | 'SharedAsset' | 'Any'> {
  type: 'Network' | 'ClusterManagement' | 'Shared' | 'Any';
}

export type AssetRow = NodeRow | DiskRow | LoadBalancerRow | CloudRow | PlainRow;

/** The rows of one span of time, sorted by descending total cost, then by key. */
export interface AssetSet {
  readonly window: Span;
  readonly rows: readonly AssetRow[];
}

export interface AssetAnswer extends AnswerNotes {
  /** In time order; at least one. */
  readonly sets: readonly AssetSet[];
  readonly window: Span;
}

/** Describes the stored data of a cluster. */
export interface ClusterCoverage {
  readonly cluster: string;
  /** Start of the cluster's first window and end of its last one, in unix seconds. */
  readonly firstData: number;
  readonly lastData: number;
  /** Number of windows between the cluster's first and last one without data from it, by `<pipeline>/<resolution>`. */
  readonly missing: Readonly<Record<string, number>>;
  /** Number of windows with data from the cluster, by `<pipeline>/<resolution>`. */
  readonly windows: Readonly<Record<string, number>>;
  /** Number of allocations in the cluster's newest window. Indicates the size of the cluster. */
  readonly allocations: number;
  /**
   * Number of values that are NaN or infinite in the cluster's records, over all served windows. Such values are
   * treated as 0.
   */
  readonly notFinite: number;
}

/** The data that answers are computed from. */
export interface DataState {
  /** The served generation. Absent before the first one is served, and if the server has only a local store. */
  readonly generation?: number;
  /** Commit time of the generation, RFC 3339. */
  readonly committedAt?: string;
  readonly ingestedAt?: string;
  /** Whether there is no data: nothing was ever ingested, or the database cannot be opened at the moment. */
  readonly empty: boolean;
  /**
   * Progress of a running ingest: how many windows it has ingested so far, and how many there are in total. Absent if
   * no ingest runs.
   */
  readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
  /**
   * Why a newer generation is not served: it could not be ingested, or the database could not be opened. Absent if
   * there is no such problem.
   */
  readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  readonly clusters: readonly ClusterCoverage[];
}
