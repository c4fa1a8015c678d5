import type { AssetOf, AssetType, Breakdown as StoredBreakdown } from '../etl/model';
import type { StoredFieldName } from './asset-fields';
import type { Measure } from './measures';
import type { Span } from './span';

/** Properties of a group of allocations. Members are absent if the group has no common value. */
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
 * A row of an answer: an allocation, a group of them, or idle. Costs are in the currency of the clusters and without
 * their adjustments, which are separate members; averages are over the time from `start` to `end`.
 */
export interface AllocationRow extends Record<Measure, number> {
  name: string;
  properties: AllocationProperties;
  /** The window of its set. */
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

/** The rows of one span, in the requested order. */
export interface AllocationSet {
  readonly window: Span;
  readonly rows: readonly AllocationRow[];
}

/** Metadata of an answer. */
export interface AnswerNotes {
  /** Missing data and ignored parameters, one sentence each. */
  readonly warnings: readonly string[];
  /** The generation that answered; absent if the server has only a local store. */
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

/** Members of every asset. */
export interface AssetRowBase {
  key: string;
  properties: AssetProperties;
  labels: Record<string, string>;
  /** The window of its set. */
  window: Span;
  /** Unix seconds, perhaps with a fraction. */
  start: number;
  end: number;
  adjustment: number;
  totalCost: number;
}

/** The fields specific to a type, as they are in answers. */
type OwnFields<Type extends AssetType> = {
  [Name in Exclude<StoredFieldName<Type>, 'cost' | 'adjustment'>]: Answered<AssetOf<Type>[Name]>;
};

/** A field's value in an answer: a missing breakdown has shares of 0; parts have no version. */
type Answered<T> = [T] extends [StoredBreakdown | null]
  ? Breakdown
  : T extends { version: number }
    ? Omit<T, 'version'>
    : T;

/** `discount` and `preemptible` are shares of 1. */
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

/** `Any`: assets of several types in one row. */
export interface PlainRow
  extends AssetRowBase, OwnFields<'Network' | 'ClusterManagement' | 'SharedAsset' | 'Any'> {
  type: 'Network' | 'ClusterManagement' | 'Shared' | 'Any';
}

export type AssetRow = NodeRow | DiskRow | LoadBalancerRow | CloudRow | PlainRow;

/** The rows of one span, by total cost from the highest to the lowest, then by key. */
export interface AssetSet {
  readonly window: Span;
  readonly rows: readonly AssetRow[];
}

export interface AssetAnswer extends AnswerNotes {
  /** In time order; at least one. */
  readonly sets: readonly AssetSet[];
  readonly window: Span;
}

/** The data of a cluster. */
export interface ClusterCoverage {
  readonly cluster: string;
  /** Start of its first and end of its last window, in unix seconds. */
  readonly firstData: number;
  readonly lastData: number;
  /** Windows without its data between its first and last, by `<pipeline>/<resolution>`. */
  readonly missing: Readonly<Record<string, number>>;
  /** Windows with its data, by `<pipeline>/<resolution>`. */
  readonly windows: Readonly<Record<string, number>>;
  /** Allocations in its newest windows: a measure of its size. */
  readonly allocations: number;
  /** NaN and infinite numbers in its records of all served windows; they count as 0. */
  readonly notFinite: number;
}

/** The data that answers are computed from. */
export interface DataState {
  /** The served generation; absent before the first one, and if the server has only a local store. */
  readonly generation?: number;
  /** RFC 3339. */
  readonly committedAt?: string;
  readonly ingestedAt?: string;
  /** There is no data: nothing was ever ingested, or the database cannot be opened at the moment. */
  readonly empty: boolean;
  /** Windows ingested so far and in total, while an ingest runs. */
  readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
  /** Why a newer generation is not served. */
  readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  readonly clusters: readonly ClusterCoverage[];
}
