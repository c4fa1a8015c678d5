import type { Client } from '@temporalio/client';
import type { Settings } from '../config/settings';
import type { BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';

/** The connections that operators' requests need. Such requests come from the command line and from the web page. */
export interface Operator {
  readonly settings: Pick<Settings, 'temporal'>;
  readonly names: Names;
  /**
   * Opens the bucket read-only: operators never write to it. To change something, they send a request to a workflow.
   */
  bucket(): Promise<BucketReader>;
  /** Connects to Temporal. Throws TEMPORAL_UNAVAILABLE if no server answers within `timeoutMs`. */
  temporal(options?: { timeoutMs?: number }): Promise<{ readonly client: Client }>;
}

/**
 * Timeout in milliseconds for connecting to Temporal. It is used where a partial answer is possible without Temporal.
 */
export const briefTimeoutMs = 2_000;
