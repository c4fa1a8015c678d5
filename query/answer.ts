import type { AssetOf, AssetType, Breakdown as StoredBreakdown } from '../etl/model';
import type { StoredFieldName } from './asset-fields';
import type { Measure } from './measures';
import type { Span } from './span';

/** What was said of a group of allocations, and what it is called. Members are there only when they say something. */
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
 * their adjustments, which have members of their own; averages are over the time from `start` to `end`.
 */
export interface AllocationRow extends Record<Measure, number> {
  name: string;
  properties: AllocationProperties;
  /** Of the set that it is in. */
  window: Span;
  /** Unix seconds, perhaps with a fraction. */
  start: number;
  end: number;
  pvs: Record<string, PersistentVolumeUse> | null;
  lbAllocations: Record<string, LoadBalancerUse> | null;
  gpuAllocation: GpuUse | null;
  /** Only of a single allocation. */
  rawAllocationOnly: { cpuCoreUsageMax: number; ramByteUsageMax: number; gpuUsageMax: number | null } | null;
}

/** The rows of one span, in the order that was asked for. */
export interface AllocationSet {
  readonly window: Span;
  readonly rows: readonly AllocationRow[];
}

/** What there is to know beside an answer. */
export interface AnswerNotes {
  /** What is missing or was taken otherwise than asked, a sentence each. */
  readonly warnings: readonly string[];
  /** The generation that answered; absent over a local store alone. */
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

/** The members of every asset. */
export interface AssetRowBase {
  key: string;
  properties: AssetProperties;
  labels: Record<string, string>;
  /** Of the set that it is in. */
  window: Span;
  /** Unix seconds, perhaps with a fraction. */
  start: number;
  end: number;
  adjustment: number;
  totalCost: number;
}

/** The fields that a type has to itself, as answers have them. */
type OwnFields<Type extends AssetType> = {
  [Name in Exclude<StoredFieldName<Type>, 'cost' | 'adjustment'>]: Answered<AssetOf<Type>[Name]>;
};

/** A value of a field in an answer: a breakdown that is missing has shares of 0; parts have no version. */
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

/** What is held of a cluster. */
export interface ClusterCoverage {
  readonly cluster: string;
  /** Start of the first and end of the last window that holds something of it, unix seconds. */
  readonly firstData: number;
  readonly lastData: number;
  /** Windows that it has no data in, though it has before and behind them, by `<pipeline>/<resolution>`. */
  readonly missing: Readonly<Record<string, number>>;
  /** Windows that it has data in, likewise. */
  readonly windows: Readonly<Record<string, number>>;
  /** Allocations in its newest windows: a measure of its size. */
  readonly allocations: number;
  /** Numbers of its records that are NaN or infinite, in all windows that are served; they count as 0. */
  readonly notFinite: number;
}

/** Which data answers. */
export interface DataState {
  /** The generation that is served; absent over a local store alone, and before the first one. */
  readonly generation?: number;
  /** RFC 3339. */
  readonly committedAt?: string;
  readonly ingestedAt?: string;
  /** Nothing can be answered from: nothing was ever ingested, or the database cannot be opened at the moment. */
  readonly empty: boolean;
  /** Windows ingested so far and in all, while that is going on. */
  readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
  /** Why a newer generation is not served. */
  readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  readonly clusters: readonly ClusterCoverage[];
}
