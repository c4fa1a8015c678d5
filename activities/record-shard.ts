import { replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { shardOutcomeSchema, type WindowResult } from '../federation/plan-document';
import type { FederationDependencies } from './federation-dependencies';
import type { MergeOutcome } from './merge-window';
import { readOwnDocument } from './plan-objects';

export interface RecordShardInput {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
  /** Outcomes of all windows of the shard, in any order. */
  readonly outcomes: readonly MergeOutcome[];
}

const noSources: Omit<WindowResult, 'window' | 'merged'> = {
  quarantined: [],
  accepted: [],
  names: [],
  shrunk: [],
};

/**
 * Creates the activity that records the results of a shard's windows for the commit. An outcome only says whether the
 * merge listed any sources, so the activity reads the lists from the bucket.
 */
export function createRecordShard({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, attempt, shard, outcomes }: RecordShardInput): Promise<void> => {
    const options = { signal: signal() };
    const windows: WindowResult[] = [];
    for (const { window, index, fingerprint, digest, size, listed } of outcomes) {
      const document = documents.windowQuarantine.at(run, attempt, shard, index);
      const { quarantined, accepted, names, shrunk } = listed
        ? await readOwnDocument(bucket, document, options)
        : noSources;
      const merged = fingerprint && digest && size !== undefined ? { fingerprint, digest, size } : undefined;
      windows.push({ window, merged, quarantined, accepted, names, shrunk });
    }
    const outcome = shardOutcomeSchema.parse({ format: 1, run, windows });
    await replaceDocument(bucket, documents.shardOutcome.at(run, attempt, shard), outcome, options);
  };
}
