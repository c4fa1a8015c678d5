import pMap from 'p-map';
import { windowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import type { BucketReader, CallOptions } from '../storage/bucket';
import {
  clusterEtlPrefix,
  type ClusterId,
  clusterId,
  federatedPrefix,
  parseClusterPrefix,
  parseEtlKey,
} from '../storage/layout';

/** Listings are small requests that mostly wait. */
const concurrentListings = 16;

/** The clusters that have a folder in Federated Storage. Folders whose name cannot be a cluster are passed over. */
export async function discoverClusters(bucket: BucketReader, options?: CallOptions): Promise<ClusterId[]> {
  const clusters: ClusterId[] = [];
  for await (const entry of bucket.list(federatedPrefix, { ...options, delimiter: '/' })) {
    const cluster = entry.kind === 'prefix' ? parseClusterPrefix(entry.prefix) : undefined;
    if (cluster !== undefined) clusters.push(cluster);
  }
  return clusters;
}

/** The window files of clusters. Whatever else lies in their folders is passed over. */
export async function listWindowFiles(
  bucket: BucketReader,
  clusters: readonly string[],
  options?: CallOptions & { onListed?: (cluster: string) => void },
): Promise<ListedFile[]> {
  const files = await pMap(
    clusters,
    async (cluster) => {
      const found = await listCluster(bucket, clusterId(cluster), options);
      options?.onListed?.(cluster);
      return found;
    },
    { concurrency: concurrentListings },
  );
  return files.flat();
}

async function listCluster(
  bucket: BucketReader,
  cluster: ClusterId,
  options?: CallOptions,
): Promise<ListedFile[]> {
  const prefix = clusterEtlPrefix(cluster);
  const files: ListedFile[] = [];
  for await (const entry of bucket.list(prefix, { signal: options?.signal })) {
    const file = entry.kind === 'object' ? parseEtlKey(prefix, entry.key) : undefined;
    if (entry.kind !== 'object' || file === undefined) continue;
    files.push({
      cluster,
      window: windowId(file.ref),
      path: entry.key.slice(prefix.length),
      plain: file.plain,
      version: entry.version,
      size: entry.size,
      modified: entry.modified.getTime(),
    });
  }
  return files;
}
