import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { generationKey } from '../federation/layout';
import type { Removed } from '../federation/removal';
import type { BucketReader } from '../storage/bucket';
import { findKnownCluster } from './known-cluster';

/** A cluster that a person wants to remove or restore. */
export interface RemovableCluster {
  readonly cluster: ClusterId;
  /** The decision that removed the cluster; undefined if the cluster is not removed. */
  readonly removed?: Removed;
  /** Whether the cluster's history still exists, so that restoring the cluster would bring the history back. */
  readonly history: boolean;
}

/**
 * Reads from the newest generation whether a cluster is removed.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster
 */
export async function readRemovable(bucket: BucketReader, id: string): Promise<RemovableCluster> {
  const { cluster, generation } = await findKnownCluster(bucket, id);
  const removed = ownValue(generation?.membership.removed, cluster);
  if (removed === undefined) return { cluster, history: true };
  const { lastGeneration: last } = removed;
  const history = last !== undefined && (await bucket.head(generationKey(last))) !== undefined;
  return { cluster, removed, history };
}

/**
 * Checks that the removal or restoration of a cluster is in the newest generation.
 *
 * @throws REMOVAL_NOT_COMMITTED if it is not. The error's detail then includes `why`, such as what the run reported
 *   instead.
 */
export async function requireCommitted(
  bucket: BucketReader,
  { kind, cluster }: { readonly kind: 'remove' | 'restore'; readonly cluster: ClusterId },
  why?: string,
): Promise<void> {
  const newest = await readNewestGeneration(bucket);
  const removed = Object.hasOwn(newest?.membership.removed ?? {}, cluster);
  if (removed === (kind === 'remove')) return;
  throw new FederationError('REMOVAL_NOT_COMMITTED', {
    subject: { cluster },
    detail: `${cluster} is ${removed ? 'still' : 'not'} removed in generation ${newest?.generation ?? 0}.${why === undefined ? '' : ` ${why}`}`,
  });
}
