import { replaceDocument, requireDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { shardOutcomeSchema, type WindowResult } from '../federation/plan-document';
import type { FederationDependencies } from './federation-dependencies';
import type { MergeOutcome } from './merge-window';

export interface RecordShardInput {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
  /** Outcomes of all windows of the shard, in any order. */
  readonly outcomes: readonly MergeOutcome[];
}

/**
 * Creates the activity that records the results of a shard's windows for the commit. The outcomes contain only the
 * number of quarantined sources, so the list of these sources is read from the bucket.
 */
export function createRecordShard({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, attempt, shard, outcomes }: RecordShardInput): Promise<void> => {
    const options = { signal: signal() };
    const windows: WindowResult[] = [];
    for (const { window, index, fingerprint, digest, size, quarantined } of outcomes) {
      const document = documents.windowQuarantine.at(run, attempt, shard, index);
      const found = quarantined === 0 ? [] : (await requireDocument(bucket, document, options)).quarantined;
      const merged = fingerprint && digest && size !== undefined ? { fingerprint, digest, size } : undefined;
      windows.push({ window, merged, quarantined: found });
    }
    const outcome = shardOutcomeSchema.parse({ format: 1, run, windows });
    await replaceDocument(bucket, documents.shardOutcome.at(run, attempt, shard), outcome, options);
  };
}
