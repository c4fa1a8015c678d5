import type { SortField } from './derived';
import type { Filter } from './filter';

/** A span of time in unix seconds, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Fields of an allocation that group and filter it. */
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

/** Names that stand for a label or an annotation of an allocation, or a label of an asset. */
export const aliasNames = ['department', 'environment', 'owner', 'product', 'team'] as const;
export type AliasName = (typeof aliasNames)[number];

/** What allocations are grouped by. Keys of labels and annotations are sanitised. */
export type AllocationGroup =
  | { readonly kind: 'field'; readonly field: AllocationField }
  | { readonly kind: 'label' | 'annotation' | 'namespaceLabel'; readonly key: string }
  /** Looked up as a label, then as an annotation. */
  | { readonly kind: 'alias'; readonly key: string };

/** How a window is cut into sets: spans of equal length from its start on, or one span for all of it. */
export type Step = { readonly seconds: number } | 'window';

/** Which sets are merged in the end. `weeknow`: blocks of seven days, counted back from the window's end. */
export const accumulations = ['none', 'all', 'hour', 'day', 'week', 'month', 'quarter', 'weeknow'] as const;
export type Accumulation = (typeof accumulations)[number];

/** A query of allocations, as it is meant: defaults are filled in, texts are parsed, times are absolute. */
export interface AllocationRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** Empty: all in one, whose name is the empty string. */
  readonly groups: readonly AllocationGroup[];
  /** Matches all when absent. */
  readonly filter?: Filter;
  readonly idle: {
    /** Idle is shown, or shared. */
    readonly include: boolean;
    /** Per node rather than per cluster. */
    readonly byNode: boolean;
    /** A row for each cluster or node rather than one for all. */
    readonly split: boolean;
    /** Spread over the other allocations by their cost, instead of being shown. */
    readonly share: boolean;
  };
  readonly sharing: {
    readonly namespaces: readonly string[];
    readonly labels: readonly { readonly key: string; readonly value: string }[];
    /** An amount a month, in the currency of the clusters. */
    readonly monthlyCost: number;
    readonly split: 'weighted' | 'even';
    /** What a cluster's management costs is shared among its own allocations, by what they cost. */
    readonly tenancy: boolean;
  };
  /** Keep the labels and annotations that all members of a group have. */
  readonly aggregatedMetadata: boolean;
  /** False: every adjustment is taken as 0. */
  readonly reconcile: boolean;
  /** In which order rows stand, and are paged; rows alike in it stand by name. */
  readonly sort: { readonly by: SortField; readonly descending: boolean };
  /** Rows of idle count neither for `offset` nor for `limit`: they are in every page that has a row. */
  readonly offset: number;
  readonly limit?: number;
  /** False: properties, volumes, load balancers and GPUs are not asked for, and left empty. (Default: true) */
  readonly details?: boolean;
  /** False: volumes and load balancers are not listed one by one; their sums are there. (Default: true) */
  readonly volumes?: boolean;
  /** Unix seconds; what lies behind it has not happened yet. */
  readonly now: number;
}

/** What assets are grouped by. */
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

/** A query of assets, as it is meant. */
export interface AssetRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** Absent: by `provider/account/project/category/cluster/type/service/providerID/name`. */
  readonly groups?: readonly AssetGroup[];
  readonly filter?: Filter;
  /** Every adjustment is taken as 0. */
  readonly disableAdjustments: boolean;
  readonly offset: number;
  readonly limit?: number;
  /** Unix seconds; what lies behind it has not happened yet. */
  readonly now: number;
}

/** Which values a field has. */
export interface AutocompleteRequest {
  readonly of: 'allocations' | 'assets';
  readonly window: Span;
  /** A field; `label`, `namespacelabel` for the keys there are; `label:<key>`, `namespacelabel:<key>` for the values. */
  readonly field: string;
  /** Only values that contain it, whatever the case. */
  readonly search: string;
  readonly limit: number;
  readonly filter?: Filter;
}
