import { mapConcurrently } from '../concurrency/map-concurrently';
import type { ClusterId } from '../etl/cluster-id';
import { hasWrongLength, windowId } from '../etl/window';
import type { ListedFile } from '../federation/candidates';
import { clusterEtlPrefix, federatedPrefix, parseClusterPrefix, parseEtlKey } from '../federation/layout';
import { recentFrom } from '../federation/listing';
import type { BucketReader, CallOptions, ObjectInfo } from '../storage/bucket';

/** Number of listings at once. It can be high because listings are small requests that mostly wait for the store. */
const concurrentListings = 16;
/**
 * Number of entries per page of a listing in most stores. If a store has a different page size, listings are still
 * complete, but may take more requests.
 */
const pageSize = 1_000;

/**
 * Returns the clusters that have a folder in Federated Storage. Ignores folders whose name is not a valid cluster id.
 */
export async function discoverClusters(bucket: BucketReader, options?: CallOptions): Promise<ClusterId[]> {
  const clusters: ClusterId[] = [];
  for await (const entry of bucket.list(federatedPrefix, { ...options, delimiter: '/' })) {
    const cluster = entry.kind === 'prefix' ? parseClusterPrefix(entry.prefix) : undefined;
    if (cluster !== undefined) clusters.push(cluster);
  }
  return clusters;
}

/**
 * Lists the window files of clusters. Returns them grouped by cluster, with the clusters in the given order. Ignores
 * other files in their folders.
 */
export async function listWindowFiles(
  bucket: BucketReader,
  clusters: readonly ClusterId[],
  options?: Pick<ScanOptions, 'signal' | 'since'>,
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  await scanWindowFiles(bucket, clusters, { ...options, onFile: (file) => files.push(file) });
  const order = new Map(clusters.map((cluster, index) => [cluster, index]));
  return files.sort((a, b) => (order.get(a.cluster) ?? 0) - (order.get(b.cluster) ?? 0));
}

export interface ScanOptions extends CallOptions {
  /**
   * Files of windows that ended before this time (unix seconds) may be skipped to save requests. If undefined, all
   * files are listed.
   */
  readonly since?: number;
  /**
   * Called for each window file. The files of one cluster arrive in key order, interleaved with files of other
   * clusters.
   */
  readonly onFile: (file: ListedFile) => void;
  /**
   * Called for each file that is ignored although it is named like a window: its window is shorter or longer than its
   * folder's resolution. `path` is below the cluster's `etl/bingen/`.
   */
  readonly onWrongLength?: (cluster: ClusterId, path: string) => void;
  /** Called when all files of a cluster have been listed. */
  readonly onListed?: (cluster: ClusterId) => void;
}

/**
 * Lists the window files of clusters. Ignores other files in their folders. `passedOver` is true if any files were
 * skipped because of `since`.
 */
export async function scanWindowFiles(
  bucket: BucketReader,
  clusters: readonly ClusterId[],
  options: ScanOptions,
): Promise<{ readonly passedOver: boolean }> {
  const passed = await mapConcurrently(clusters, concurrentListings, async (cluster) => {
    const passedOver = await scanCluster(bucket, cluster, options);
    options.onListed?.(cluster);
    return passedOver;
  });
  return { passedOver: passed.includes(true) };
}

/**
 * Lists the window files of one cluster. Returns whether any files were skipped because of `since`. To skip files,
 * starts a new listing that begins after them. It starts a new listing only at the end of a page, so it never takes
 * more requests than a full listing.
 */
async function scanCluster(
  bucket: BucketReader,
  cluster: ClusterId,
  { since, onFile, onWrongLength, signal }: ScanOptions,
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
      else if (hasWrongLength(entry.key.slice(prefix.length)))
        onWrongLength?.(cluster, entry.key.slice(prefix.length));
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
