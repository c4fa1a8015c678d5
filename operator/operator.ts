import type { Client } from '@temporalio/client';
import type { Settings } from '../config/settings';
import type { BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';

/** The connections that operators' requests are answered with, from the command line and from the page. */
export interface Operator {
  readonly settings: Pick<Settings, 'temporal'>;
  readonly names: Names;
  /** Read-only: changes are requested from a workflow. */
  bucket(): Promise<BucketReader>;
  /** Throws TEMPORAL_UNAVAILABLE when no server answers within `timeoutMs`. */
  temporal(options?: { timeoutMs?: number }): Promise<{ readonly client: Client }>;
}

/** For questions that are answered without Temporal too, as far as possible. In milliseconds. */
export const briefTimeoutMs = 2_000;
