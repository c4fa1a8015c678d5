import type { ClusterId } from '../etl/cluster-id';
import { Candidates } from '../federation/candidates';
import {
  decideListing,
  describeFullListing,
  type FullListing,
  listedFirst,
  type Listing,
  type ListingInput,
  outdated,
} from '../federation/listing';
import { Notices } from '../federation/notices';
import type { BucketReader } from '../storage/bucket';
import { scanWindowFiles } from './survey-clusters';

/** The result of listing window files: all of them, or only those of recent windows. */
export interface Listed {
  readonly listing: Listing;
  readonly candidates: Candidates;
  readonly notices: Notices;
  /** Record of the full listing; undefined if only recent windows were listed. */
  readonly fullListing?: FullListing;
}

export interface ListCandidatesOptions {
  readonly signal?: AbortSignal;
  /** Called whenever a cluster's folder has been listed. `of` is the total number of clusters to list. */
  readonly onProgress?: (clustersListed: number, of: number) => void;
}

/**
 * Lists the window files of the clusters: either all of them, or only those of recent windows. If `whyFull` gives a
 * reason for a full listing, always lists all of them. Keeps at most one file per cluster and window in memory.
 */
export async function listCandidates(
  bucket: BucketReader,
  input: ListingInput,
  { signal, onProgress }: ListCandidatesOptions,
  whyFull?: string,
): Promise<Listed> {
  const { clusters } = input.membership;
  const candidates = new Candidates();
  const notices = new Notices(input.now);
  let listed = 0;
  const scan = (of: readonly ClusterId[], since?: number) =>
    scanWindowFiles(bucket, of, {
      signal,
      since,
      onFile: (file) => {
        candidates.add(file);
        notices.add(file);
      },
      onWrongLength: (cluster, path) => notices.addWrongLength(cluster, path),
      onListed: () => onProgress?.(++listed, clusters.length),
    });
  const full = (why: string) => ({
    candidates,
    notices,
    listing: { kind: 'full', why } as const,
    fullListing: describeFullListing(candidates, input.now),
  });
  const decided: Listing = whyFull === undefined ? decideListing(input) : { kind: 'full', why: whyFull };
  if (decided.kind === 'full') {
    await scan(clusters);
    return full(decided.why);
  }
  const first = listedFirst(input, decided.since);
  await scan(clusters.filter((cluster) => first.has(cluster)));
  const why = outdated(input, first, candidates);
  const { passedOver } = await scan(
    clusters.filter((cluster) => !first.has(cluster)),
    why === undefined ? decided.since : undefined,
  );
  if (why !== undefined) return full(why);
  // A listing of recent windows that skipped no files counts as full. This happens if the clusters have few files.
  return {
    candidates,
    notices,
    listing: passedOver ? decided : { kind: 'full', why: 'it took no more requests' },
  };
}
