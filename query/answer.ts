import type { AssetOf, AssetType, Breakdown as StoredBreakdown } from '../etl/model';
import type { StoredFieldName } from './asset-fields';
import type { Measure } from './measures';
import type { Span } from './span';

/**
 * Properties of an allocation or of a group of allocations. A property is absent if its value differs within the group.
 */
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
 * A row of a query result: an allocation, a group of allocations, or idle cost. Costs are in the currency of the
 * clusters and do not include adjustments, which are separate fields. Averages are taken over the time from `start` to
 * `end`.
 */
export interface AllocationRow extends Record<Measure, number> {
  name: string;
  properties: AllocationProperties;
  /** Time span of the result set that contains the row. */
  window: Span;
  /** Start of the data in the row, in unix seconds. May have a fraction. */
  start: number;
  end: number;
  pvs: Record<string, PersistentVolumeUse> | null;
  lbAllocations: Record<string, LoadBalancerUse> | null;
  gpuAllocation: GpuUse | null;
  /** Maximum usage. Null unless the row is for a single container. `gpuUsageMax` is null if it was not measured. */
  rawAllocationOnly: { cpuCoreUsageMax: number; ramByteUsageMax: number; gpuUsageMax: number | null } | null;
}

/** The part of a query result for one time span. The rows are in the requested order. */
export interface AllocationSet {
  readonly window: Span;
  readonly rows: readonly AllocationRow[];
}

/** Information about how a query result was computed. */
export interface AnswerNotes {
  /** Sentences about missing or suspicious data, and about parameters that were ignored. */
  readonly warnings: readonly string[];
  /**
   * Number of the generation (version of the federated data) that the query read. Absent if the server reads a local
   * store, which has no generations.
   */
  readonly generation?: number;
}

export interface AllocationAnswer extends AnswerNotes {
  /** The result sets, in time order. There is at least one. */
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

/** Fields that the rows of all asset types have. */
export interface AssetRowBase {
  key: string;
  properties: AssetProperties;
  labels: Record<string, string>;
  /** Time span of the result set that contains the row. */
  window: Span;
  /** Start of the data in the row, in unix seconds. May have a fraction. */
  start: number;
  end: number;
  adjustment: number;
  totalCost: number;
}

/** The fields of an asset type that are not in `AssetRowBase`, with their types in query results. */
type OwnFields<Type extends AssetType> = {
  [Name in Exclude<StoredFieldName<Type>, 'cost' | 'adjustment'>]: Answered<AssetOf<Type>[Name]>;
};

/**
 * Converts the type of a stored field to its type in query results. In a result, a breakdown is never null: the
 * fractions of a missing breakdown are 0. The field `version` is omitted from breakdowns and overheads.
 */
type Answered<T> = [T] extends [StoredBreakdown | null]
  ? Breakdown
  : T extends { version: number }
    ? Omit<T, 'version'>
    : T;

/** A row for a node or a group of nodes. `discount` and `preemptible` are fractions from 0 to 1. */
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

/**
 * A row for asset types without fields of their own. The type `Any` means that assets of different types are merged.
 */
export interface PlainRow
  extends AssetRowBase, OwnFields<'Network' | 'ClusterManagement' | 'SharedAsset' | 'Any'> {
  type: 'Network' | 'ClusterManagement' | 'Shared' | 'Any';
}

export type AssetRow = NodeRow | DiskRow | LoadBalancerRow | CloudRow | PlainRow;

/**
 * The part of a query result for one time span. The rows are sorted by descending total cost. Rows with the same cost
 * are sorted by key.
 */
export interface AssetSet {
  readonly window: Span;
  readonly rows: readonly AssetRow[];
}

export interface AssetAnswer extends AnswerNotes {
  /** The result sets, in time order. There is at least one. */
  readonly sets: readonly AssetSet[];
  readonly window: Span;
}

/** Summary of the stored data of one cluster. */
export interface ClusterCoverage {
  readonly cluster: string;
  /**
   * Start of the first window with data from the cluster, in unix seconds. `lastData` is the end of the last such
   * window.
   */
  readonly firstData: number;
  readonly lastData: number;
  /**
   * Number of windows without data from the cluster, counted between its first and its last window with data. The keys
   * are `<pipeline>/<resolution>`, such as `allocations/1d`.
   */
  readonly missing: Readonly<Record<string, number>>;
  /** Number of windows with data from the cluster. The keys are `<pipeline>/<resolution>`, such as `allocations/1d`. */
  readonly windows: Readonly<Record<string, number>>;
  /** Number of allocations in the cluster's newest window. Indicates the size of the cluster. */
  readonly allocations: number;
  /**
   * Number of values in the cluster's records that are NaN or infinite, over all windows. Queries treat these values as
   * 0.
   */
  readonly notFinite: number;
}

/** State of the data that queries read. */
export interface DataState {
  /**
   * Number of the generation (version of the federated data) that queries read. Absent if there is no data yet, or if
   * the server reads a local store.
   */
  readonly generation?: number;
  /** Time when the generation was committed, in RFC 3339 format. */
  readonly committedAt?: string;
  readonly ingestedAt?: string;
  /** True if there is no data to query: nothing was ever ingested, or the database cannot be opened at the moment. */
  readonly empty: boolean;
  /**
   * Progress of the current ingest: `done` is the number of windows ingested so far, `of` is the total number of
   * windows. Absent if no ingest is running.
   */
  readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
  /**
   * Why queries do not see the newest data: it could not be ingested, or the database could not be opened. Absent if
   * queries see the newest data.
   */
  readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  readonly clusters: readonly ClusterCoverage[];
}
