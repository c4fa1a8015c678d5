import { discoverClusters } from '../activities/survey-clusters';
import { FederationError, isFederationError } from '../errors/federation-error';
import type { ClusterId } from '../etl/cluster-id';
import type { BucketReader } from '../storage/bucket';
import { findNewest, type Newest } from './newest-generation';

/** A cluster, and the newest generation that can be read. */
export interface KnownCluster extends Newest {
  readonly cluster: ClusterId;
  /** The clusters that have a folder in the bucket; undefined if these credentials may not list them. */
  readonly folders?: readonly ClusterId[];
}

/**
 * Returns a cluster that has a folder in the bucket or that the newest generation names. Without this check, excluding
 * or removing a mistyped id would seem to succeed.
 *
 * @throws CLUSTER_UNKNOWN if there is no such cluster
 */
export async function findKnownCluster(bucket: BucketReader, id: string): Promise<KnownCluster> {
  // If access to the clusters' folders is denied, only the clusters of the newest generation are known.
  const folders = await discoverClusters(bucket, {}).catch((error: unknown): undefined => {
    if (!isFederationError(error, 'STORAGE_ACCESS_DENIED')) throw error;
  });
  const newest = await findNewest(bucket);
  const { clusters = [], exclusions = {}, excluded = {}, removed = {} } = newest.generation?.membership ?? {};
  const named = [exclusions, excluded, removed].flatMap((record) => Object.keys(record) as ClusterId[]);
  const cluster = [...(folders ?? []), ...clusters, ...named].find((known) => known === id);
  if (cluster !== undefined) return { cluster, ...newest, ...(folders && { folders }) };
  throw new FederationError('CLUSTER_UNKNOWN', {
    subject: { cluster: id },
    detail: [
      `There is no cluster ${id} in the bucket. Clusters there: ${folders?.join(', ') || 'none'}.`,
      ...newest.damage,
    ].join(' '),
  });
}
