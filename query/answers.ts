import type { AllocationAnswer, AssetAnswer, DataState } from './answer';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from './request';

/**
 * The queries that a primary (a server with a query engine) answers. A query reads the same version of the data from
 * start to end, even if newer data is ingested in the meantime.
 */
export interface Answers {
  /**
   * Answers a query for allocations. Throws QUERY_NO_DATA before the first ingest. May also throw QUERY_TOO_LARGE,
   * QUERY_TIMEOUT, QUERY_BUSY, QUERY_NO_ROOM and QUERY_DATABASE_UNUSABLE.
   */
  allocations(request: AllocationRequest, signal?: AbortSignal): Promise<AllocationAnswer>;
  assets(request: AssetRequest, signal?: AbortSignal): Promise<AssetAnswer>;
  /** Returns the values of a field, sorted. */
  autocomplete(request: AutocompleteRequest, signal?: AbortSignal): Promise<readonly string[]>;
  state(): DataState;
}
