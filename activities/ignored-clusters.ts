import { mapConcurrently } from '../concurrency/map-concurrently';
import type { ClusterId } from '../etl/cluster-id';
import { type Removed, type RemovedClusters, stillPushes } from '../federation/removal';
import type { BucketReader } from '../storage/bucket';
import { scanWindowFiles } from './survey-clusters';

/** A removed cluster that still has a folder in Federated Storage. */
export interface IgnoredCluster {
  readonly cluster: ClusterId;
  readonly decision: Removed;
  /** Whether the cluster has pushed a file of a recent window since it was removed. */
  readonly pushes: boolean;
}

interface FindIgnoredInput {
  /** The clusters that have a folder. */
  readonly discovered: readonly ClusterId[];
  /** Current time in unix seconds. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

const concurrentScans = 8;
/** A window is recent if it ended at most this long ago, in seconds. Files of older windows need not be listed. */
const recent = 7 * 86_400;

/** Finds the removed clusters that still have a folder, and whether they still push. */
export async function findIgnored(
  bucket: BucketReader,
  removed: RemovedClusters,
  { discovered, now, signal }: FindIgnoredInput,
): Promise<IgnoredCluster[]> {
  const there = discovered.flatMap((cluster) => {
    const decision = removed[cluster];
    return decision === undefined ? [] : [{ cluster, decision }];
  });
  return mapConcurrently(there, concurrentScans, async ({ cluster, decision }) => {
    let lastPush = 0;
    const onFile = ({ modified }: { modified: number }) => (lastPush = Math.max(lastPush, modified));
    await scanWindowFiles(bucket, [cluster], { signal, since: now - recent, onFile });
    return { cluster, decision, pushes: stillPushes(decision, lastPush) };
  });
}
