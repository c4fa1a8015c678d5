import type { AllocationAnswer, AssetAnswer, DataState } from './answer';
import type { AllocationRequest, AssetRequest, AutocompleteRequest } from './request';

/** The queries that a primary answers. Each query sees the same generation from its start to its end. */
export interface Answers {
  /**
   * Throws QUERY_NO_DATA before the first ingest, QUERY_TOO_LARGE, QUERY_TIMEOUT, QUERY_BUSY, QUERY_NO_ROOM and
   * QUERY_DATABASE_UNUSABLE.
   */
  allocations(request: AllocationRequest, signal?: AbortSignal): Promise<AllocationAnswer>;
  assets(request: AssetRequest, signal?: AbortSignal): Promise<AssetAnswer>;
  /** Returns the values in sorted order. */
  autocomplete(request: AutocompleteRequest, signal?: AbortSignal): Promise<readonly string[]>;
  state(): DataState;
}
