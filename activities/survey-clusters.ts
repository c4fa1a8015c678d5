import { mapConcurrently } from '../concurrency/map-concurrently';
import { windowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import { recentFrom } from '../federation/listing';
import type { BucketReader, CallOptions, ObjectInfo } from '../storage/bucket';
import { type ClusterId, clusterId } from '../etl/cluster-id';
import { clusterEtlPrefix, federatedPrefix, parseClusterPrefix, parseEtlKey } from '../federation/layout';

/** Listings are small requests that mostly wait. */
const concurrentListings = 16;
/** Entries that stores give out at once. With another number a listing is as complete, and takes other requests. */
const pageSize = 1_000;

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
  options?: CallOptions,
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  await scanWindowFiles(bucket, clusters, { ...options, onFile: (file) => files.push(file) });
  const order = new Map(clusters.map((cluster, index) => [cluster, index]));
  return files.sort((a, b) => (order.get(a.cluster) ?? 0) - (order.get(b.cluster) ?? 0));
}

export interface ScanOptions extends CallOptions {
  /** In unix seconds: older windows may be passed over where that saves requests. Absent: everything is listed. */
  readonly since?: number;
  /** Told of each window file: a cluster's in the order of their keys, the clusters' mixed. */
  readonly onFile: (file: ListedFile) => void;
  /** Told after each cluster. */
  readonly onListed?: (cluster: string) => void;
}

/** Lists the window files of clusters; whether any were passed over. Whatever else lies in their folders is not told. */
export async function scanWindowFiles(
  bucket: BucketReader,
  clusters: readonly string[],
  options: ScanOptions,
): Promise<{ readonly passedOver: boolean }> {
  const passed = await mapConcurrently(clusters, concurrentListings, async (cluster) => {
    const passedOver = await scanCluster(bucket, clusterId(cluster), options);
    options.onListed?.(cluster);
    return passedOver;
  });
  return { passedOver: passed.includes(true) };
}

/**
 * A page that was fetched is read to its end. Where the next one would begin among older windows, the listing goes on at
 * the recent ones of the folder instead: so it never takes more requests than a full one, and a cluster of few files is
 * listed whole.
 */
async function scanCluster(
  bucket: BucketReader,
  cluster: ClusterId,
  { since, onFile, signal }: ScanOptions,
): Promise<boolean> {
  const prefix = clusterEtlPrefix(cluster);
  for (let from: string | undefined, passedOver = false; ; passedOver = true) {
    const after = from === undefined ? undefined : prefix + from;
    from = undefined;
    let read = 0;
    for await (const entry of bucket.list(prefix, { signal, after })) {
      if (entry.kind !== 'object') continue;
      const file = windowFile(prefix, cluster, entry);
      if (file !== undefined) onFile(file);
      if (since === undefined || ++read % pageSize !== 0) continue;
      from = recentFrom(entry.key.slice(prefix.length), since);
      if (from !== undefined) break;
    }
    if (from === undefined) return passedOver;
  }
}

function windowFile(prefix: string, cluster: ClusterId, object: ObjectInfo): ListedFile | undefined {
  const file = parseEtlKey(prefix, object.key);
  return (
    file && {
      cluster,
      window: windowId(file.ref),
      path: object.key.slice(prefix.length),
      plain: file.plain,
      version: object.version,
      size: object.size,
      modified: object.modified.getTime(),
    }
  );
}
