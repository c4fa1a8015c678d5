import type { Client } from '@temporalio/client';
import type { Settings } from '../config/settings';
import type { BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';

/** What a person's question or wish is answered with, wherever it was asked: on the command line or on the page. */
export interface Operator {
  readonly settings: Pick<Settings, 'temporal'>;
  readonly names: Names;
  /** For reading only: what is to change is asked of a workflow. */
  bucket(): Promise<BucketReader>;
  /** Throws TEMPORAL_UNAVAILABLE when no server answers within `timeoutMs`. */
  temporal(options?: { timeoutMs?: number }): Promise<{ readonly client: Client }>;
}

/** For questions that are answered without Temporal too, as far as possible. In milliseconds. */
export const briefTimeoutMs = 2_000;
