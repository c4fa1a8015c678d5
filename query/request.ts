import type { SortField } from './derived';
import type { Filter } from './filter';
import type { Span } from './span';

/** The allocation fields that requests can group and filter by. */
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

/**
 * How a window is cut into sets: into spans of `seconds`, the first of which begins at the start of the window, or not
 * at all (`window`).
 */
export type Step = { readonly seconds: number } | 'window';

/**
 * Into which periods the sets are merged at the end. `weeknow` merges blocks of seven days, counted back from the end
 * of the window.
 */
export const accumulations = ['none', 'all', 'hour', 'day', 'week', 'month', 'quarter', 'weeknow'] as const;
export type Accumulation = (typeof accumulations)[number];

/** A parsed query of allocations: defaults are filled in, times are absolute. */
export interface AllocationRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** If empty, everything is merged into a single row, whose name is the empty string. */
  readonly groups: readonly AllocationGroup[];
  /** Selects the allocations to keep. If undefined, all are kept. */
  readonly filter?: Filter;
  readonly idle: {
    /** Whether the answer includes idle cost, shown in rows of its own or shared among the allocations. */
    readonly include: boolean;
    /** If true, idle cost is computed per node, otherwise per cluster. */
    readonly byNode: boolean;
    /** If true, there is an idle row per cluster or node, otherwise a single one. */
    readonly split: boolean;
    /** If true, the allocations carry idle cost in proportion to their own cost, otherwise idle rows show it. */
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
  /** Whether each row has the labels and annotations that all members of its group share. */
  readonly aggregatedMetadata: boolean;
  /** If false, every adjustment is treated as 0. */
  readonly reconcile: boolean;
  /** Order of the rows, on which pages depend. Equal rows are ordered by name. */
  readonly sort: { readonly by: SortField; readonly descending: boolean };
  /**
   * Number of rows to skip. Offset and limit apply only to the rows that are not idle. Every page also has all idle
   * rows, unless its offset is beyond the last row that is not idle.
   */
  readonly offset: number;
  readonly limit?: number;
  /** If false, properties, volumes, load balancers and GPUs stay empty. (Default: true) */
  readonly details?: boolean;
  /** If false, rows do not list their volumes and load balancers, only the sums of their costs. (Default: true) */
  readonly volumes?: boolean;
  /** The current time in unix seconds. No data is expected after it. */
  readonly now: number;
}

/** The asset fields that requests can group by. */
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
   * The name of a field, to list its values. `label` and `namespacelabel` list the keys of labels, `label:<key>` and
   * `namespacelabel:<key>` the values of one key.
   */
  readonly field: string;
  /** Only values that contain this text are listed, ignoring case. */
  readonly search: string;
  readonly limit: number;
  readonly filter?: Filter;
}
