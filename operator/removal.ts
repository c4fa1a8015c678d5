import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { generationKey } from '../federation/layout';
import type { Removed } from '../federation/removal';
import type { FederationRequest } from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { findKnownCluster } from './known-cluster';

/** A cluster that a person wants to remove or restore. */
export interface RemovableCluster {
  readonly cluster: ClusterId;
  /** The decision by which the cluster is removed; undefined unless it is removed already. */
  readonly removed?: Removed;
  /** Whether the history of a removed cluster still exists, so that restoring the cluster brings it back. */
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

/** Who removes or restores a cluster, and why. */
export interface RemovalDecision {
  readonly kind: 'remove' | 'restore';
  readonly cluster: ClusterId;
  readonly by: string;
  readonly reason?: string;
}

/** Returns the request for a federation that removes or restores a cluster. */
export function removalRequest(
  { kind, cluster, by, reason }: RemovalDecision,
  now = new Date(),
): FederationRequest {
  return {
    trigger: 'person',
    by,
    at: now.toISOString(),
    ...(reason !== undefined && { why: reason }),
    change: { kind, cluster },
  };
}

/**
 * Checks that the newest generation has a cluster removed, or no longer has it removed.
 *
 * @throws REMOVAL_NOT_COMMITTED if it does not. `why` says what the run reported instead.
 */
export async function requireCommitted(
  bucket: BucketReader,
  { kind, cluster }: Pick<RemovalDecision, 'kind' | 'cluster'>,
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
