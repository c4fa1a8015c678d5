import { z } from 'zod';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { decidedSchema, describeDecided } from './change';
import { decidedBy, type FederationRequest } from './run';

/** A person's decision to remove a cluster. It is in force until the cluster is restored. */
export const removedSchema = z.object({
  ...decidedSchema.shape,
  /**
   * Number of the last generation that included the cluster. As long as that generation exists, restoring the cluster
   * brings back its history. Undefined if no generation has included the cluster.
   */
  lastGeneration: z.number().int().positive().optional(),
});
export type Removed = z.infer<typeof removedSchema>;

/** The removed clusters, keyed by cluster id. */
export type RemovedClusters = Readonly<Record<ClusterId, Removed>>;

/**
 * The fields of a generation that say which clusters it includes, and which generation last included each of the other
 * clusters.
 */
interface Members {
  readonly generation: number;
  readonly membership: {
    readonly clusters: readonly ClusterId[];
    readonly excluded: Readonly<Record<ClusterId, { readonly lastGeneration?: number }>>;
    readonly removed: RemovedClusters;
  };
}

/**
 * Returns the removed clusters after the decision in `request`, if it contains one, has been applied. Removing a
 * cluster again does not change the first decision. `newest` is the newest generation; undefined if there is none.
 */
export function removedAfter(
  newest: Members | undefined,
  request: Pick<FederationRequest, 'change' | 'trigger' | 'by' | 'why' | 'at'>,
): RemovedClusters {
  const removed = newest?.membership.removed ?? {};
  const { change } = request;
  if (change?.kind === 'restore') {
    const { [change.cluster]: _, ...others } = removed;
    return others;
  }
  if (change?.kind !== 'remove' || Object.hasOwn(removed, change.cluster)) return removed;
  const lastGeneration = lastGenerationOf(change.cluster, newest);
  const decision = { ...decidedBy(request), ...(lastGeneration !== undefined && { lastGeneration }) };
  return { ...removed, [change.cluster]: decision };
}

/** Returns the number of the last generation that included a cluster; undefined if none has. */
export function lastGenerationOf(cluster: ClusterId, newest: Members | undefined): number | undefined {
  if (newest?.membership.clusters.includes(cluster)) return newest.generation;
  return outSince(cluster, newest?.membership);
}

/**
 * Returns the number of the last generation that included a cluster which is now excluded or removed. Returns undefined
 * for any other cluster.
 */
export function outSince(
  cluster: ClusterId,
  membership: Omit<Members['membership'], 'clusters'> | undefined,
): number | undefined {
  const out = ownValue(membership?.excluded, cluster) ?? ownValue(membership?.removed, cluster);
  return out?.lastGeneration;
}

/** Returns whether two lists contain the same clusters, removed by the same decisions. */
export function sameRemoved(a: RemovedClusters, b: RemovedClusters): boolean {
  const entries = (removed: RemovedClusters) =>
    JSON.stringify(
      Object.entries(removed)
        .map(([cluster, { at, lastGeneration }]) => [cluster, at, lastGeneration ?? 0])
        .sort(),
    );
  return entries(a) === entries(b);
}

/**
 * Returns whether a removed cluster has pushed since the removal. `lastPush` is the time when the newest file in its
 * folder was written, in milliseconds since 1970; 0 if there is none.
 */
export function stillPushes({ at }: Removed, lastPush: number): boolean {
  return lastPush > Date.parse(at);
}

/** Describes a removal, such as `removed by kim@host at 2026-11-20T12:00:00Z: moved to another company`. */
export function describeRemoved(removed: Removed): string {
  return `removed ${describeDecided(removed)}`;
}
