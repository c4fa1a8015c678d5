/*
 * The API of the page besides the query API: the state of the federation, and the actions of the operator. All
 * of it is under `/api`, in the envelope of the query API: `{"code":200,"data":…}`, errors as `{"code":…,"data":null,"message":…}`.
 * Times are RFC 3339.
 */

/** `GET /api/status` */
export interface StatusView {
  /** Whether it serves a federation, as its primary, or only a local ETL store. */
  readonly kind: 'primary' | 'local';
  /** The cluster of this primary; absent for a local ETL store. */
  readonly cluster?: string;
  readonly currency: string;
  readonly served: {
    readonly generation?: number;
    readonly committedAt?: string;
    readonly ingestedAt?: string;
    /** Nothing was ingested yet. */
    readonly empty: boolean;
    readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
    /** Why a newer generation is not served. */
    readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  };
  readonly clusters: readonly ClusterView[];
  /** Whether actions are possible; false without a configured operator token, or without a federation. */
  readonly canAct: boolean;
  /** URL of the workflows in the Temporal UI, if known. */
  readonly temporalUi?: string;
  /** Facts that could not be determined, one sentence each. */
  readonly missing: readonly string[];
}

export interface ClusterView {
  readonly cluster: string;
  readonly membership: 'in' | 'excluded' | 'not yet';
  /** Why it is excluded, or which change the next run brings. */
  readonly reason?: string;
  readonly lastPush?: string;
  /** First and last moment of its served data. */
  readonly firstData?: string;
  readonly lastData?: string;
  readonly allocations: number;
  readonly windows: readonly {
    readonly pipeline: string;
    readonly resolution: string;
    /** Served windows with its data. */
    readonly held: number;
    /** Windows without its data between its first and last. */
    readonly missing: number;
  }[];
}

/** `GET /api/federations?limit=50`: `{federations: FederationView[]}`, the newest first. */
export interface FederationView {
  readonly run: string;
  readonly outcome:
    'complete' | 'partial' | 'nothing' | 'failed' | 'cancelled' | 'running' | 'died' | 'unknown';
  readonly trigger?: 'schedule' | 'person' | 'push' | 'replay';
  readonly why?: string;
  readonly replayOf?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly generation?: number;
  readonly clusters?: number;
  readonly windows?: {
    readonly all: number;
    readonly planned: number;
    readonly merged: number;
    readonly reused: number;
    readonly removed: number;
  };
  /** Quarantined sources. */
  readonly quarantined?: number;
  readonly excluded?: readonly string[];
  readonly warnings?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** Its history in the Temporal UI. */
  readonly link?: string;
}

/** `GET /api/generations`: `{generations: GenerationView[]}`, the newest first. */
export interface GenerationView {
  readonly generation: number;
  readonly committedAt: string;
  readonly run: string;
  readonly clusters: number;
  readonly windows: number;
  readonly bytes: number;
  /** Quarantined sources. */
  readonly quarantined: readonly {
    readonly cluster: string;
    readonly window: string;
    readonly code: string;
    readonly detail: string;
  }[];
}

/** `GET /api/generations/diff?from=3&to=4` */
export interface GenerationDiff {
  readonly from: number;
  readonly to: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Windows that differ, with the total cost of each cluster that differs. */
  readonly changes: readonly {
    /** For example `allocations/1d/1794614400-1794700800`. */
    readonly window: string;
    readonly change: 'added' | 'removed' | 'changed';
    readonly clusters: readonly {
      readonly cluster: string;
      readonly before: number | null;
      readonly after: number | null;
    }[];
  }[];
  /** Differing windows that were not compared, as there are too many. */
  readonly omitted: number;
}

/*
 * Actions; each needs `Authorization: Bearer <operator token>` and answers `{message}`, a sentence:
 *   POST /api/clusters/<id>/exclude   {"reason": "…"}
 *   POST /api/clusters/<id>/include
 *   POST /api/federations             {"why": "…"}           starts a federation
 *   POST /api/federations/<run>/replay
 * 401 without or with a wrong token; 404 for an unknown cluster or run.
 */
export interface ActionAnswer {
  readonly message: string;
}

/** Access to the federation; absent for a local ETL store. Unknown ids throw CLUSTER_UNKNOWN or RUN_NOT_FOUND. */
export interface Federation {
  /** `held`, `missing`, `allocations`, `firstData` and `lastData` are filled in by the server from its data. */
  status(): Promise<{
    readonly clusters: readonly Pick<ClusterView, 'cluster' | 'membership' | 'reason' | 'lastPush'>[];
    readonly temporalUi?: string;
    readonly missing: readonly string[];
  }>;
  federations(limit: number): Promise<readonly FederationView[]>;
  generations(): Promise<readonly GenerationView[]>;
  diff(from: number, to: number): Promise<GenerationDiff>;
  exclude(cluster: string, reason: string | undefined): Promise<ActionAnswer>;
  include(cluster: string): Promise<ActionAnswer>;
  federate(why: string | undefined): Promise<ActionAnswer>;
  replay(run: string): Promise<ActionAnswer>;
}
