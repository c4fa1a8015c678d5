import { FederationError } from '../errors/federation-error';
import { type DocumentAt, examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { runPlanKey } from '../federation/layout';
import type { PlanHead, PlanShard } from '../federation/plan-document';
import type { BucketReader, CallOptions } from '../storage/bucket';

/**
 * Reads a document that a run wrote for its own later steps.
 *
 * @throws PLAN_UNREADABLE if it is missing or damaged. The run then plans again.
 */
export async function readOwnDocument<Value>(
  bucket: BucketReader,
  document: DocumentAt<Value>,
  options?: CallOptions,
): Promise<Value> {
  const { value, damage } = await examineDocument(bucket, document, options);
  if (value !== undefined) return value;
  throw new FederationError('PLAN_UNREADABLE', {
    subject: { key: document.key },
    detail: `${document.key}: ${damage?.detail ?? 'The object is gone.'}`,
  });
}

/** Reads a shard, which is a part of a run's plan. Throws PLAN_UNREADABLE if it is missing or damaged. */
export async function readShard(
  bucket: BucketReader,
  run: string,
  attempt: number,
  shard: number,
  options?: CallOptions,
): Promise<PlanShard> {
  return readOwnDocument(bucket, documents.planShard.at(run, attempt, shard), options);
}

/**
 * Reads the head of a run's plan: the list of its shards, and other data that the commit needs. Throws PLAN_UNREADABLE
 * if the head is missing or damaged.
 */
export async function readHead(
  bucket: BucketReader,
  run: string,
  attempt: number,
  options?: CallOptions,
): Promise<PlanHead> {
  return readOwnDocument(bucket, documents.planHead.at(run, attempt), options);
}

/**
 * Returns a function that reads shards and keeps the last `most` of them in a cache. Each window is merged by a
 * separate activity that reads the whole shard, so the same shard is requested many times.
 */
export function createShardCache(
  bucket: BucketReader,
  most = 4,
): (run: string, attempt: number, shard: number) => Promise<PlanShard> {
  const cache = new Map<string, Promise<PlanShard>>();
  return (run, attempt, shard) => {
    const key = runPlanKey(run, attempt, shard);
    const known = cache.get(key);
    if (known !== undefined) return known;
    // Do not pass the caller's signal: if it aborted this read, other activities that share the read would fail too.
    const reading = readShard(bucket, run, attempt, shard);
    cache.set(key, reading);
    reading.catch(() => cache.delete(key));
    for (const oldest of [...cache.keys()].slice(0, -most)) cache.delete(oldest);
    return reading;
  };
}
