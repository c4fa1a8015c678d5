import type { Client } from '@temporalio/client';
import type { Settings } from '../config/settings';
import type { BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';

/** The connections that are needed to answer operators' requests, from the command line and from the page. */
export interface Operator {
  readonly settings: Pick<Settings, 'temporal'>;
  readonly names: Names;
  /** Opens the bucket for reading only, because operators do not write to it: they ask a workflow to make a change. */
  bucket(): Promise<BucketReader>;
  /** Connects to Temporal. Throws TEMPORAL_UNAVAILABLE if no server answers within `timeoutMs`. */
  temporal(options?: { timeoutMs?: number }): Promise<{ readonly client: Client }>;
}

/** Timeout in milliseconds for requests that can be answered in part without Temporal. */
export const briefTimeoutMs = 2_000;
