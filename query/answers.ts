import type { AllocationAnswer, AssetAnswer, DataState } from './answer';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from './request';

/** Who asks, and for how long. */
export interface Asker {
  /** Name of the client. Clients share the limits of `api.limits` fairly. (Default: all that have no name are one) */
  readonly client?: string;
  /** Ends the query if it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * The queries that a primary (a server with a query engine) answers. A query reads the same version of the data from
 * start to end, even if newer data is ingested in the meantime.
 */
export interface Answers {
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
