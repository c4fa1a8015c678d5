import type { SortField } from './derived';
import type { Filter } from './filter';
import type { Span } from './span';

/** The fields of an allocation that can be grouped and filtered by. */
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

/** Names of aliases. An alias stands for a label or annotation of an allocation, or for a label of an asset. */
export const aliasNames = ['department', 'environment', 'owner', 'product', 'team'] as const;
export type AliasName = (typeof aliasNames)[number];

/** What allocations are grouped by. Keys of labels and annotations are sanitised. */
export type AllocationGroup =
  | { readonly kind: 'field'; readonly field: AllocationField }
  | { readonly kind: 'label' | 'annotation' | 'namespaceLabel'; readonly key: string }
  /** The key is looked up in the labels first, then in the annotations. */
  | { readonly kind: 'alias'; readonly key: string };

/** How a window is cut into sets: into spans of equal length, from the start of the window, or not at all. */
export type Step = { readonly seconds: number } | 'window';

/** Which sets are finally merged. `weeknow` merges blocks of seven days, counted back from the end of the window. */
export const accumulations = ['none', 'all', 'hour', 'day', 'week', 'month', 'quarter', 'weeknow'] as const;
export type Accumulation = (typeof accumulations)[number];

/** A parsed query of allocations: defaults are filled in, times are absolute. */
export interface AllocationRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** If empty, the answer is a single row, named by the empty string. */
  readonly groups: readonly AllocationGroup[];
  /** If undefined, everything is kept. */
  readonly filter?: Filter;
  readonly idle: {
    /** Whether idle is part of the answer, shown or shared. */
    readonly include: boolean;
    /** Whether idle is computed per node; otherwise per cluster. */
    readonly byNode: boolean;
    /** Whether there is an idle row per cluster or node; otherwise there is a single one. */
    readonly split: boolean;
    /** Whether the allocations carry idle in proportion to their cost; otherwise it is shown. */
    readonly share: boolean;
  };
  readonly sharing: {
    readonly namespaces: readonly string[];
    readonly labels: readonly { readonly key: string; readonly value: string }[];
    /** Additional amount to share per month, in the currency of the clusters. */
    readonly monthlyCost: number;
    readonly split: 'weighted' | 'even';
    /** Whether a cluster's management cost is shared among its allocations, in proportion to their cost. */
    readonly tenancy: boolean;
  };
  /** Whether rows have the labels and annotations that all members of their group share. */
  readonly aggregatedMetadata: boolean;
  /** If false, every adjustment is treated as 0. */
  readonly reconcile: boolean;
  /** Order of the rows, on which pages depend. Equal rows are ordered by name. */
  readonly sort: { readonly by: SortField; readonly descending: boolean };
  /**
   * Idle rows do not count for `offset` and `limit`: every page has them, unless its offset is beyond the last other
   * row.
   */
  readonly offset: number;
  readonly limit?: number;
  /** If false, properties, volumes, load balancers and GPUs stay empty. (Default: true) */
  readonly details?: boolean;
  /** If false, volumes and load balancers are not listed; their sums are still there. (Default: true) */
  readonly volumes?: boolean;
  /** The current time in unix seconds. No data is expected after it. */
  readonly now: number;
}

/** The fields of an asset that can be grouped by. */
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
  /** If undefined, assets are grouped by `provider/account/project/category/cluster/type/service/providerID/name`. */
  readonly groups?: readonly AssetGroup[];
  readonly filter?: Filter;
  /** Whether every adjustment is treated as 0. */
  readonly disableAdjustments: boolean;
  readonly offset: number;
  readonly limit?: number;
  /** The current time in unix seconds. No data is expected after it. */
  readonly now: number;
}

/** A query for the values of a field. */
export interface AutocompleteRequest {
  readonly of: 'allocations' | 'assets';
  readonly window: Span;
  /**
   * A field, or `label` or `namespacelabel` for the keys of labels, or `label:<key>` or `namespacelabel:<key>` for the
   * values of one key.
   */
  readonly field: string;
  /** Only values that contain this text are listed, ignoring case. */
  readonly search: string;
  readonly limit: number;
  readonly filter?: Filter;
}
