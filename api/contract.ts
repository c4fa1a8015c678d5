/*
 * The API that the web page uses in addition to the query API. It provides the state of the federation and the
 * operator's actions. All paths begin with `/api`. Answers have the same envelope as in the query API:
 *   Success: `{"code":200,"status":"success","data":…}`
 *   Error:   `{"code":…,"data":null,"message":…}`
 * Times are RFC 3339.
 */

/** Answer to `GET /api/status`. */
export interface StatusView {
  /** `primary` if the server belongs to the primary of a federation, `local` if it has only a local ETL store. */
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
    /**
     * Why newer data cannot be served; absent if there is no newer data. `generation` is the generation that contains
     * the newer data. A local ETL store has no generations, so `generation` is absent there.
     */
    readonly refused?: { readonly generation?: number; readonly code: string; readonly message: string };
  };
  readonly clusters: readonly ClusterView[];
  /** The hold that a rollback has put on the federation; absent if there is none. */
  readonly hold?: HoldView;
  /** Notes about the newest generation for people who read the costs, one sentence each. */
  readonly notes: readonly string[];
  /**
   * Says which clusters run versions that do not match those of the federator or of other clusters, and what to do. One
   * sentence each.
   */
  readonly skew: readonly string[];
  /** Whether operator actions are possible. They require a federation and a configured operator token. */
  readonly canAct: boolean;
  /** URL of the workflows in the Temporal UI; absent if unknown. */
  readonly temporalUi?: string;
  /**
   * The schedule that starts federation runs. `'absent'` if there is no schedule. Undefined if its state is unknown.
   */
  readonly schedule?: ScheduleView | 'absent';
  /** The conditions that do not hold. Omits conditions that `toDo` already reports. */
  readonly conditions: readonly ConditionView[];
  /**
   * What a person should do: missing steps of the set-up, a paused or missing schedule, and clusters that have gone
   * silent. One or two sentences each, with commands in backticks.
   */
  readonly toDo: readonly string[];
  /** One sentence for each part of the status that could not be determined. */
  readonly missing: readonly string[];
}

/** The schedule that starts federations. */
export interface ScheduleView {
  /**
   * Interval between two runs, in milliseconds. Absent if a person has changed the schedule to another kind of rule.
   */
  readonly everyMs?: number;
  /** Time of the next run. Absent if none is due, for example while the schedule is paused. */
  readonly nextRun?: string;
  /**
   * Set while the schedule is paused. Contains the note of the person who paused it, because Temporal stores nothing
   * else about a pause.
   */
  readonly paused?: { readonly note: string };
}

/** A condition that does not hold, reported for one role of a cluster. */
export interface ConditionView {
  readonly cluster: string;
  readonly role: 'federatedCluster' | 'federator' | 'primaryCluster';
  /** Name of the condition, such as `store` or `freshness`. */
  readonly name: string;
  /** Why the condition does not hold, in a sentence. */
  readonly reason?: string;
  /** Since when it does not hold. */
  readonly since: string;
}

export interface ClusterView {
  readonly cluster: string;
  readonly membership: 'in' | 'excluded' | 'removed' | 'not yet';
  /** Why the cluster is excluded or removed, or how the next run will change its membership. */
  readonly reason?: string;
  readonly lastPush?: string;
  /** Whether the cluster pushes as usual. Absent if this server does not know. */
  readonly silence?: SilenceView;
  /**
   * The software that wrote and pushed the cluster's newest files: the version of Federated ETL, the Go package of the
   * agent's assets, and the codec version of the newest file of each pipeline. Unknown values are absent.
   */
  readonly inventory?: {
    readonly program?: string;
    readonly agent?: string;
    readonly codecs: { readonly allocations?: number; readonly assets?: number };
  };
  /** Start of the cluster's first served window. `lastData`: end of its last served window. */
  readonly firstData?: string;
  readonly lastData?: string;
  readonly allocations: number;
  readonly windows: readonly {
    readonly pipeline: string;
    readonly resolution: string;
    /** Number of served windows that contain data from the cluster. */
    readonly held: number;
    /** Number of windows without data from the cluster, between its first and its last window with data. */
    readonly missing: number;
  }[];
}

/** Whether a cluster pushes as usual. */
export interface SilenceView {
  /**
   * `late`: no push for three times the usual interval, and for at least three hours. `gone`: no push for at least two
   * days, or no files at all. `not-expected`: the cluster is excluded or removed, was stopped on purpose, or has not
   * begun to push.
   */
  readonly state: 'on-time' | 'late' | 'gone' | 'not-expected';
  /** The usual interval between two pushes, in milliseconds. */
  readonly usualMs: number;
  /**
   * Time of the cluster's first push after a silence. Set if the cluster is `late` only because it has just come back.
   */
  readonly back?: string;
}

/** One federation run. `GET /api/federations?limit=50` answers `{federations: FederationView[]}`, newest first. */
export interface FederationView {
  readonly run: string;
  readonly outcome:
    'complete' | 'partial' | 'nothing' | 'on-hold' | 'failed' | 'cancelled' | 'running' | 'died' | 'unknown';
  readonly trigger?: 'schedule' | 'person' | 'push' | 'replay';
  readonly why?: string;
  /** The person who requested the run; undefined if the run was not requested by a person. */
  readonly by?: string;
  /** The person's decision that the run commits, in a few words; absent if the person only asked for a run. */
  readonly change?: string;
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
  /**
   * Number of quarantined sources that nobody has dropped: cluster files that the run could not merge in their current
   * state.
   */
  readonly quarantined?: number;
  readonly excluded?: readonly string[];
  /** Describes each cluster whose records carry other clusters' names, in a sentence or two. */
  readonly nameConflicts?: readonly string[];
  readonly warnings?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  /** URL of the run's history in the Temporal UI. */
  readonly link?: string;
}

/** One generation. `GET /api/generations` answers `{generations: GenerationView[]}`, newest first. */
export interface GenerationView {
  readonly generation: number;
  readonly committedAt: string;
  readonly run: string;
  readonly clusters: number;
  readonly windows: number;
  readonly bytes: number;
  /**
   * Number of the generation that was the newest before this commit. Set only if this generation was made from another
   * generation, because it is a rollback or because the newest one was damaged.
   */
  readonly replaces?: number;
  /** Set if a rollback committed the generation. The hold stands as long as this is the newest generation. */
  readonly hold?: HoldView;
  /** A person's decision, if the generation was committed because of one. `what` describes it in a few words. */
  readonly decision?: Decided & { readonly what: string };
  /**
   * The quarantined sources. `code` and `detail` say why a source could not be merged in its current state. `dropped`
   * is set if a person has decided that this version is never to be merged.
   */
  readonly quarantined: readonly {
    readonly cluster: string;
    readonly window: string;
    readonly code: string;
    readonly detail: string;
    /** What is merged instead. `kept`: the cluster's last good contribution. `refused`: nothing. */
    readonly state: 'kept' | 'refused';
    readonly dropped?: Decided;
  }[];
  /**
   * The sources that are merged only because a person has accepted them. `code` says what looked wrong with the file.
   */
  readonly accepted: readonly {
    readonly cluster: string;
    readonly window: string;
    readonly code: string;
    readonly decided: Decided;
  }[];
}

/** A person's decision: who made it, why and when. */
export interface Decided {
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** A hold: `by` rolled the federation back to `generation`. Nothing is committed until a person ends the hold. */
export interface HoldView extends Decided {
  readonly generation: number;
}

/** The differences between two generations: answer to `GET /api/generations/diff?from=3&to=4`. */
export interface GenerationDiff {
  readonly from: number;
  readonly to: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /**
   * Sums over `changes`, for each cluster and for all clusters together. The sums for all clusters lack the field
   * `cluster`. Windows of different resolutions contain the same costs, so each resolution has its own sums.
   */
  readonly totals: readonly {
    readonly pipeline: string;
    readonly resolution: string;
    readonly cluster?: string;
    readonly before: number;
    readonly after: number;
  }[];
  /** The newest windows that differ, at most 50. Each lists the clusters whose total costs differ in that window. */
  readonly changes: readonly {
    /** Id of the window, such as `allocations/1d/1794614400-1794700800`. */
    readonly window: string;
    readonly change: 'added' | 'removed' | 'changed';
    readonly clusters: readonly {
      readonly cluster: string;
      readonly before: number | null;
      readonly after: number | null;
    }[];
    /** Why the window could not be compared; absent if the comparison succeeded. */
    readonly unreadable?: string;
  }[];
  /** Number of further windows that differ, but do not fit into `changes`. */
  readonly omitted: number;
}

/*
 * Answer to an operator action: one sentence. Each action needs the header `Authorization: Bearer <operator token>`.
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
 * The federation's state and actions, for the routes of the API. A server that has only a local ETL store has no
 * federation. Methods throw CLUSTER_UNKNOWN or RUN_NOT_FOUND if there is no cluster or run with the given id.
 */
export interface Federation {
  /**
   * Returns the state of the federation. Its clusters lack `windows`, `allocations`, `firstData` and `lastData`: the
   * API server determines these from the data that it serves.
   */
  status(): Promise<{
    readonly clusters: readonly Pick<
      ClusterView,
      'cluster' | 'membership' | 'reason' | 'lastPush' | 'silence' | 'inventory'
    >[];
    readonly hold?: HoldView;
    readonly notes: readonly string[];
    readonly skew: readonly string[];
    readonly temporalUi?: string;
    readonly schedule?: ScheduleView | 'absent';
    readonly conditions: readonly ConditionView[];
    readonly toDo: readonly string[];
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
