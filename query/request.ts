import type { SortField } from './derived';
import type { Filter } from './filter';
import type { Span } from './span';

/** The allocation fields that requests can group by. */
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

/** Names of the aliases. An alias refers to a label. For allocations, it can also refer to an annotation. */
export const aliasNames = ['department', 'environment', 'owner', 'product', 'team'] as const;
export type AliasName = (typeof aliasNames)[number];

/** A property by which allocations are grouped. Keys of labels and annotations are sanitised. */
export type AllocationGroup =
  | { readonly kind: 'field'; readonly field: AllocationField }
  | { readonly kind: 'label' | 'annotation' | 'namespaceLabel'; readonly key: string }
  /** The key is looked up in the labels first, then in the annotations. */
  | { readonly kind: 'alias'; readonly key: string };

/**
 * How a window is divided into steps. Each step is `seconds` long, and the first one begins at the start of the window.
 * `window` means that the whole window is one step.
 */
export type Step = { readonly seconds: number } | 'window';

/**
 * The periods into which the steps of a query are merged. `none` keeps the steps, `all` merges them into one period.
 * `weeknow` makes periods of seven days, counted back from the end of the window.
 */
export const accumulations = ['none', 'all', 'hour', 'day', 'week', 'month', 'quarter', 'weeknow'] as const;
export type Accumulation = (typeof accumulations)[number];

/** A parsed query for allocations. It contains defaults for missing parameters. All times are absolute. */
export interface AllocationRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /** Properties to group by. If empty, everything is merged into a single row, whose name is empty. */
  readonly groups: readonly AllocationGroup[];
  /** Selects the allocations to include. If undefined, all are included. */
  readonly filter?: Filter;
  readonly idle: {
    /** Whether the result includes idle cost, either in separate rows or shared among the allocations. */
    readonly include: boolean;
    /** If true, idle cost is computed per node. If false, it is computed per cluster. */
    readonly byNode: boolean;
    /**
     * If true, there is a separate row of idle cost for each cluster or node. If false, there is a single row for all
     * of them.
     */
    readonly split: boolean;
    /**
     * If true, idle cost is added to the allocations in proportion to their own cost. If false, it is in separate rows.
     */
    readonly share: boolean;
  };
  readonly sharing: {
    readonly namespaces: readonly string[];
    readonly labels: readonly { readonly key: string; readonly value: string }[];
    /** Additional amount per month to share among allocations, in the currency of the clusters. */
    readonly monthlyCost: number;
    readonly split: 'weighted' | 'even';
    /** Whether the management cost of a cluster is shared among its allocations, in proportion to their cost. */
    readonly tenancy: boolean;
  };
  /** Whether each row has the labels and annotations that all of its allocations have in common. */
  readonly aggregatedMetadata: boolean;
  /** If false, every adjustment is treated as 0. */
  readonly reconcile: boolean;
  /** Order of the rows. It also determines which rows are on which page. Rows with equal values are ordered by name. */
  readonly sort: { readonly by: SortField; readonly descending: boolean };
  /**
   * Number of rows to skip. `offset` and `limit` count only rows that are not idle cost. A page beyond the last of
   * these rows is empty. Every other page also contains all rows of idle cost.
   */
  readonly offset: number;
  readonly limit?: number;
  /** If false, rows have no properties, volumes, load balancers or GPUs. (Default: true) */
  readonly details?: boolean;
  /**
   * If false, rows have only the total costs of their volumes and load balancers, and do not list them. (Default: true)
   */
  readonly volumes?: boolean;
  /** The current time in unix seconds. No data is expected for any later time. */
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

/** A parsed query for assets. */
export interface AssetRequest {
  readonly window: Span;
  readonly step: Step;
  readonly accumulate: Accumulation;
  /**
   * Properties to group by. If undefined, assets are grouped by all fields that identify them:
   * `provider/account/project/category/cluster/type/service/providerID/name`.
   */
  readonly groups?: readonly AssetGroup[];
  readonly filter?: Filter;
  /** Whether every adjustment is treated as 0. */
  readonly disableAdjustments: boolean;
  readonly offset: number;
  readonly limit?: number;
  /** The current time in unix seconds. No data is expected for the time after it. */
  readonly now: number;
}

/** A query that lists the values of a field. */
export interface AutocompleteRequest {
  readonly of: 'allocations' | 'assets';
  readonly window: Span;
  /**
   * The field whose values are listed. `label`, `annotation` and `namespacelabel` list keys. With a key, as in
   * `label:<key>`, they list the values of this key.
   */
  readonly field: string;
  /** Only values that contain this text are listed. Case is ignored. */
  readonly search: string;
  readonly limit: number;
  readonly filter?: Filter;
}
