import { readNewestGeneration } from '../activities/read-generations';
import { FederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { requireNewest } from '../federation/damaged-generation';
import { generationKey } from '../federation/layout';
import type { Removed } from '../federation/removal';
import type { BucketReader } from '../storage/bucket';
import { requireNoHold } from './hold';
import { findKnownCluster, type KnownCluster } from './known-cluster';

/** A person's request to remove or restore a cluster. */
export interface RemovalRequest {
  readonly kind: 'remove' | 'restore';
  /** The id of the cluster. */
  readonly cluster: string;
}

/** A cluster that a person wants to remove or restore. */
export interface RemovableCluster {
  readonly cluster: ClusterId;
  /** The decision that removed the cluster; undefined if the cluster is not removed. */
  readonly removed?: Removed;
  /** Whether the cluster's history still exists, so that restoring the cluster would bring the history back. */
  readonly history: boolean;
  /**
   * Sentences that say which generation, newer than the one that was read, has been published but is missing, and what
   * to do about it. Usually none.
   */
  readonly damaged: readonly string[];
}

/**
 * Reads from the newest generation whether a cluster is removed.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster; GENERATION_UNREADABLE if the newest generation is damaged. If
 *   the request would change anything, also FEDERATION_ON_HOLD if a hold keeps federations from committing the change,
 *   and CLUSTER_LAST if the removal would leave no other cluster.
 */
export async function readRemovable(
  bucket: BucketReader,
  { kind, cluster: id }: RemovalRequest,
): Promise<RemovableCluster> {
  const known = await findKnownCluster(bucket, id);
  const { cluster, damage: damaged } = known;
  const generation = requireNewest(known);
  const removed = ownValue(generation?.membership.removed, cluster);
  if ((removed !== undefined) !== (kind === 'remove')) {
    requireNoHold(generation);
    if (kind === 'remove') requireOthers(known);
  }
  if (removed === undefined) return { cluster, history: true, damaged };
  const { lastGeneration: last } = removed;
  const history = last !== undefined && (await bucket.head(generationKey(last))) !== undefined;
  return { cluster, removed, history, damaged };
}

/** Throws CLUSTER_LAST if it is certain that a federation without the cluster would have no cluster at all. */
function requireOthers({ cluster, generation, folders }: KnownCluster): void {
  if (folders === undefined) return;
  const { clusters = [], exclusions = {}, excluded = {}, removed = {} } = generation?.membership ?? {};
  const isOut = (id: ClusterId) =>
    [exclusions, excluded, removed].some((record) => Object.hasOwn(record, id));
  const others = [...clusters, ...folders].filter((id) => id !== cluster && !isOut(id));
  if (others.length > 0) return;
  throw new FederationError('CLUSTER_LAST', {
    subject: { cluster },
    detail: `No other cluster than ${cluster} is included, and a generation needs one.`,
  });
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
