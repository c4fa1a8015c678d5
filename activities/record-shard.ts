import { shardOutcomeSchema, type WindowResult, windowResultSchema } from '../federation/plan-document';
import { runOutcomeKey, runProblemsKey } from '../federation/layout';
import type { FederationDependencies } from './federation-dependencies';
import { writeJson } from '../storage/read-all';
import { requireJson } from './json-objects';
import type { MergeOutcome } from './merge-window';

export interface RecordShardInput {
  readonly run: string;
  readonly attempt: number;
  readonly shard: number;
  /** Of every window of the shard, in any order. */
  readonly outcomes: readonly MergeOutcome[];
}

/** Writes what became of a shard's windows, with the problems that their outcomes only count, for the commit to read. */
export function createRecordShard({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async ({ run, attempt, shard, outcomes }: RecordShardInput): Promise<void> => {
    const options = { signal: signal() };
    const windows: WindowResult[] = [];
    for (const { window, index, fingerprint, digest, size, problems } of outcomes) {
      const key = runProblemsKey(run, attempt, shard, index);
      const found =
        problems === 0 ? [] : (await requireJson(bucket, key, windowResultSchema, options)).problems;
      const merged = fingerprint && digest && size !== undefined ? { fingerprint, digest, size } : undefined;
      windows.push({ window, merged, problems: found });
    }
    const outcome = shardOutcomeSchema.parse({ format: 1, run, windows });
    await writeJson(bucket, runOutcomeKey(run, attempt, shard), outcome, options);
  };
}
