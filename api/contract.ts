/*
 * What the page asks beyond the query API: how the federation is, and what a person with the operator token can do. All
 * of it lies under `/api`, in the envelope of the query API: `{"code":200,"data":…}`, errors as `{"code":…,"data":null,"message":…}`.
 * Times are RFC 3339.
 */

/** `GET /api/status` */
export interface StatusView {
  /** What this server is over: a primary of a federation, or a local ETL store alone. */
  readonly kind: 'primary' | 'local';
  /** The cluster that serves; absent over a local ETL store alone. */
  readonly cluster?: string;
  readonly currency: string;
  readonly served: {
    readonly generation?: number;
    readonly committedAt?: string;
    readonly ingestedAt?: string;
    /** Nothing was ever ingested: there is nothing to show yet. */
    readonly empty: boolean;
    readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
    /** Why a newer generation is not served. */
    readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  };
  readonly clusters: readonly ClusterView[];
  /** What a person can do here with the operator token; false: no token is configured, or there is no federation. */
  readonly canAct: boolean;
  /** Where the workflows can be seen in the Temporal UI, if that is known. */
  readonly temporalUi?: string;
  /** What could not be found out, in sentences. */
  readonly missing: readonly string[];
}

export interface ClusterView {
  readonly cluster: string;
  readonly membership: 'in' | 'excluded' | 'not yet';
  /** Why it is excluded, or what will change with the next run. */
  readonly reason?: string;
  readonly lastPush?: string;
  /** First and last moment of its data that is served. */
  readonly firstData?: string;
  readonly lastData?: string;
  readonly allocations: number;
  readonly windows: readonly {
    readonly pipeline: string;
    readonly resolution: string;
    /** Windows of it that are served. */
    readonly held: number;
    /** Windows between its first and last that it has no data in. */
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
  /** Windows that are not the same, and the total cost of each cluster that differs in them. */
  readonly changes: readonly {
    /** As in `allocations/1d/1794614400-1794700800`. */
    readonly window: string;
    readonly change: 'added' | 'removed' | 'changed';
    readonly clusters: readonly {
      readonly cluster: string;
      readonly before: number | null;
      readonly after: number | null;
    }[];
  }[];
  /** Windows that differ and were not looked into, as there are too many. */
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

/** What the server knows of its federation; a local ETL store alone has none. Ids that are unknown throw CLUSTER_UNKNOWN or RUN_NOT_FOUND. */
export interface Federation {
  /** `held`, `missing`, `allocations`, `firstData` and `lastData` are filled in by the server, from what it serves. */
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
