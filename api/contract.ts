/*
 * The API that the page uses in addition to the query API: the state of the federation, and the actions of the
 * operator. All of it is under `/api`, and answers have the envelope of the query API: `{"code":200,"data":…}`, errors
 * `{"code":…,"data":null,"message":…}`. Times are RFC 3339.
 */

/** Answer to `GET /api/status`. */
export interface StatusView {
  /** `primary`: the server of a federation's primary; `local`: a server that has only a local ETL store. */
  readonly kind: 'primary' | 'local';
  /** Id of the primary's cluster; absent for a local ETL store. */
  readonly cluster?: string;
  readonly currency: string;
  readonly served: {
    readonly generation?: number;
    readonly committedAt?: string;
    readonly ingestedAt?: string;
    /** Whether nothing has been ingested yet. */
    readonly empty: boolean;
    readonly ingesting?: { readonly done: number; readonly of: number; readonly generation?: number };
    /** Why newer data, if there is any, cannot be served, and its `generation` (absent for a local ETL store). */
    readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  };
  readonly clusters: readonly ClusterView[];
  /** Whether actions are possible: they need a configured operator token and a federation. */
  readonly canAct: boolean;
  /** URL of the workflows in the Temporal UI; absent if it is not known. */
  readonly temporalUi?: string;
  /** What could not be determined, each described in one sentence. */
  readonly missing: readonly string[];
}

export interface ClusterView {
  readonly cluster: string;
  readonly membership: 'in' | 'excluded' | 'not yet';
  /** Why the cluster is excluded, or how its membership changes with the next run. */
  readonly reason?: string;
  readonly lastPush?: string;
  /** Start of the cluster's data among the served data. `lastData`: its end. */
  readonly firstData?: string;
  readonly lastData?: string;
  readonly allocations: number;
  readonly windows: readonly {
    readonly pipeline: string;
    readonly resolution: string;
    /** Number of served windows with data from the cluster. */
    readonly held: number;
    /** Number of windows between the cluster's first and last one without data from it. */
    readonly missing: number;
  }[];
}

/** An entry of the answer to `GET /api/federations?limit=50`: `{federations: FederationView[]}`, the newest first. */
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
  /** Number of quarantined sources. */
  readonly quarantined?: number;
  readonly excluded?: readonly string[];
  readonly warnings?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** URL of the run's history in the Temporal UI. */
  readonly link?: string;
}

/** An entry of the answer to `GET /api/generations`: `{generations: GenerationView[]}`, the newest first. */
export interface GenerationView {
  readonly generation: number;
  readonly committedAt: string;
  readonly run: string;
  readonly clusters: number;
  readonly windows: number;
  readonly bytes: number;
  /** The quarantined sources, each with its error. */
  readonly quarantined: readonly {
    readonly cluster: string;
    readonly window: string;
    readonly code: string;
    readonly detail: string;
  }[];
}

/** Answer to `GET /api/generations/diff?from=3&to=4`. */
export interface GenerationDiff {
  readonly from: number;
  readonly to: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** The differing windows that were compared, each with the total costs of those clusters whose costs differ. */
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
  /** Number of differing windows that were not compared because there are too many of them. */
  readonly omitted: number;
}

/*
 * Actions. Each needs the header `Authorization: Bearer <operator token>`. The answer is `{message}`, a sentence.
 *   POST /api/clusters/<id>/exclude   {"reason": "…"}
 *   POST /api/clusters/<id>/include
 *   POST /api/federations             {"why": "…"}           starts a federation
 *   POST /api/federations/<run>/replay
 * The status is 401 if the token is missing or wrong, and 404 if the cluster or the run is unknown.
 */
export interface ActionAnswer {
  readonly message: string;
}

/**
 * Access to the federation. The server of a local ETL store has none. Methods throw CLUSTER_UNKNOWN or RUN_NOT_FOUND if
 * there is no cluster or run with the given id.
 */
export interface Federation {
  /**
   * Returns the state without `held`, `missing`, `allocations`, `firstData` and `lastData`. The server derives these
   * from the data that it serves.
   */
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
