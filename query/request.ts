import type { SortField } from './derived';
import type { Filter } from './filter';
import type { Span } from './span';

/** Fields of an allocation to group and filter by. */
export const allocationFields = [
  'cluster',
  'node',
  'namespace',
  'controllerKind',
  'controller',
  'pod',
  'container',
  'providerID',
  'service',
  'deployment',
  'statefulset',
  'daemonset',
  'job',
  'account',
  'provider',
  'region',
] as const;
export type AllocationField = (typeof allocationFields)[number];

/** Aliases of a label or annotation of an allocation, or of a label of an asset. */
export const aliasNames = ['department', 'environment', 'owner', 'product', 'team'] as const;
export type AliasName = (typeof aliasNames)[number];

/** What allocations are grouped by. Keys of labels and annotations are sanitised. */
export type AllocationGroup =
  | { readonly kind: 'field'; readonly field: AllocationField }
  | { readonly kind: 'label' | 'annotation' | 'namespaceLabel'; readonly key: string }
  /** Looked up as a label, then as an annotation. */
  | { readonly kind: 'alias'; readonly key: string };

/** How a window is cut into sets: into spans of equal length from its start, or not at all. */
export type Step = { readonly seconds: number } | 'window';

/** Which sets are merged in the end. `weeknow`: blocks of seven days, counted back from the end of the window. */
export const accumulations = ['none', 'all', 'hour', 'day', 'week', 'month', 'quarter', 'weeknow'] as const;
export type Accumulation = (typeof accumulations)[number];

/** A parsed query of allocations: defaults are filled in, times are absolute. */
export interface AllocationRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** Empty: a single row, named by the empty string. */
  readonly groups: readonly AllocationGroup[];
  /** Undefined keeps everything. */
  readonly filter?: Filter;
  readonly idle: {
    /** Whether idle is shown or shared, rather than left out. */
    readonly include: boolean;
    /** Per node rather than per cluster. */
    readonly byNode: boolean;
    /** A row per cluster or node rather than one in all. */
    readonly split: boolean;
    /** Shared among the allocations in proportion to their cost rather than shown. */
    readonly share: boolean;
  };
  readonly sharing: {
    readonly namespaces: readonly string[];
    readonly labels: readonly { readonly key: string; readonly value: string }[];
    /** An amount per month, in the currency of the clusters. */
    readonly monthlyCost: number;
    readonly split: 'weighted' | 'even';
    /** Shares a cluster's management cost among its allocations, in proportion to their cost. */
    readonly tenancy: boolean;
  };
  /** Keeps the labels and annotations that all members of a group share. */
  readonly aggregatedMetadata: boolean;
  /** False counts every adjustment as 0. */
  readonly reconcile: boolean;
  /** Order of rows and pages; equal rows are ordered by name. */
  readonly sort: { readonly by: SortField; readonly descending: boolean };
  /** Idle rows do not count for `offset` and `limit`: they are part of every page that has a row. */
  readonly offset: number;
  readonly limit?: number;
  /** False leaves properties, volumes, load balancers and GPUs empty. (Default: true) */
  readonly details?: boolean;
  /** False omits the lists of volumes and load balancers, but not their sums. (Default: true) */
  readonly volumes?: boolean;
  /** The current time in unix seconds; data after it is not expected yet. */
  readonly now: number;
}

/** Fields of an asset to group by. */
export const assetFields = [
  'account',
  'category',
  'cluster',
  'name',
  'project',
  'provider',
  'providerid',
  'service',
  'type',
] as const;
export type AssetField = (typeof assetFields)[number];

export type AssetGroup =
  | { readonly kind: 'field'; readonly field: AssetField }
  | { readonly kind: 'label'; readonly key: string }
  | { readonly kind: 'alias'; readonly key: string };

/** A parsed query of assets. */
export interface AssetRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** Undefined groups by `provider/account/project/category/cluster/type/service/providerID/name`. */
  readonly groups?: readonly AssetGroup[];
  readonly filter?: Filter;
  /** Counts every adjustment as 0. */
  readonly disableAdjustments: boolean;
  readonly offset: number;
  readonly limit?: number;
  /** The current time in unix seconds; data after it is not expected yet. */
  readonly now: number;
}

/** A query for the values of a field. */
export interface AutocompleteRequest {
  readonly of: 'allocations' | 'assets';
  readonly window: Span;
  /** A field; `label` or `namespacelabel` for the keys; `label:<key>` or `namespacelabel:<key>` for the values of a key. */
  readonly field: string;
  /** Only values that contain this text, ignoring case. */
  readonly search: string;
  readonly limit: number;
  readonly filter?: Filter;
}
