import type { AllocationAnswer, AssetAnswer, DataState } from './answer';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from './request';

/** Who asks, and for how long. */
export interface Asker {
  /** Name of the client. Clients share the limits of `api.limits` fairly. (Default: all that have no name are one) */
  readonly client?: string;
  /** Ends the query if it is aborted. */
  readonly signal?: AbortSignal;
}

/** A client's turn. Only while it lasts may the client query and use the answers. */
export interface Turn extends Asker {
  /** Ends the turn if it is aborted. */
  readonly signal: AbortSignal;
  /** How large an answer may be, in megabytes. */
  readonly megabytes: number;
}

/**
 * The queries that a primary (a server with a query engine) answers. A query reads the same version of the data from
 * start to end, even if newer data is ingested in the meantime.
 */
export interface Answers {
  /** How large an answer may be, in megabytes. */
  readonly megabytes: number;
  /**
   * Waits for a client's turn, then runs `work`. The queries that `work` asks with its turn as the asker, and the use of
   * their answers, count as one query for all limits. May throw QUERY_BUSY and QUERY_TIMEOUT.
   */
  inTurn<T>(asker: Asker, work: (turn: Turn) => Promise<T>): Promise<T>;
  /**
   * Answers a query for allocations. Throws QUERY_NO_DATA before the first ingest. May also throw QUERY_TOO_LARGE,
   * QUERY_TIMEOUT, QUERY_BUSY, QUERY_NO_ROOM and QUERY_DATABASE_UNUSABLE.
   */
  allocations(request: AllocationRequest, asker?: Asker): Promise<AllocationAnswer>;
  assets(request: AssetRequest, asker?: Asker): Promise<AssetAnswer>;
  /** Returns the values of a field, sorted. */
  autocomplete(request: AutocompleteRequest, asker?: Asker): Promise<readonly string[]>;
  state(): DataState;
}
