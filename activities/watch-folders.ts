import { mapConcurrently } from '../concurrency/map-concurrently';
import type { ClusterId } from '../etl/cluster-id';
import type { WindowId } from '../etl/window';
import type { Candidates } from '../federation/candidates';
import type { Generation } from '../federation/generation';
import { parseInventory } from '../federation/inventory';
import { clusterEtlKey } from '../federation/layout';
import { type Notices, withEarlier } from '../federation/notices';
import { hasTwoWriters, noteWritten, watchedWindows } from '../federation/writers';
import type { BucketReader } from '../storage/bucket';

const concurrentLookUps = 16;

export interface WatchFoldersInput {
  readonly base?: Generation;
  readonly clusters: readonly ClusterId[];
  readonly candidates: Candidates;
  /** Notices about the files in the listing. `watchFolders` adds further notices. */
  readonly notices: Notices;
  /** Whether the listing skipped older windows. */
  readonly isRecent: boolean;
  readonly now: Date;
  readonly signal?: AbortSignal;
}

/**
 * Finds irregularities in the clusters' folders. To find out who writes to a folder, looks up one file in it, but only
 * if this file has changed since the last generation.
 */
export async function watchFolders(
  bucket: BucketReader,
  { base, clusters, candidates, notices, isRecent, now, signal }: WatchFoldersInput,
): Promise<Pick<Generation, 'notices' | 'writers'>> {
  const watched = watchedWindows(candidates, now.getTime() / 1_000);
  const writers: Generation['writers'] = {};
  await mapConcurrently(clusters, concurrentLookUps, async (cluster) => {
    const known = base?.writers[cluster];
    const window = watched.get(cluster) ?? known?.window;
    if (window === undefined) return;
    const written = await lookUp(cluster, window);
    const next = written === undefined ? known : noteWritten(known, { window, ...written });
    if (next === undefined) return;
    writers[cluster] = next;
    if (hasTwoWriters(next, now.getTime())) notices.addTwoWriters(cluster, next.window);
  });
  const found = notices.list(clusters);
  const earlier = (base?.notices ?? []).filter(
    ({ cluster, code }) => clusters.includes(cluster) && code !== 'FOLDER_TWO_WRITERS',
  );
  return { notices: isRecent ? withEarlier(found, earlier) : found, writers };

  async function lookUp(cluster: ClusterId, window: WindowId) {
    const file = candidates.of(window).get(cluster);
    const known = base?.writers[cluster];
    if (file === undefined || (known?.window === window && known.versions[0] === file.version))
      return undefined;
    const head = await bucket.head(clusterEtlKey(cluster, file.path ?? window), { signal });
    // If the file has been replaced since it was listed, leave the look-up to the next run.
    if (head?.version !== file.version) return undefined;
    const { instance: agent, start } = head.metadata;
    const inventory = parseInventory(head.metadata);
    return { version: file.version, modified: file.modified, agent, start, inventory };
  }
}
