import { z } from 'zod';
import { ownValue } from '../etl/own-value';
import { isPipeline, parseResolution, parseWindowId, type WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates } from './candidates';
import type { Generation } from './generation';
import { type Membership, returningClusters, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import type { FederationRequest } from './run';

/**
 * This file decides how much of the bucket a federation lists. A full listing lists everything. A listing of recent
 * windows skips older windows, so it does not notice changes to them. It can skip them because the keys of window files
 * sort by time. A full listing is made once a day, and whenever older windows may matter.
 */

const day = 86_400;
/**
 * How far a listing of recent windows looks back, in seconds. Such a listing covers windows that ended within this
 * time, and windows that have not ended yet.
 */
const lookBack = 7 * day;
/** Maximum age of the last full listing, in seconds. If it is older, the next run makes a full listing. */
const fullEvery = day;

/** What a full listing found out about one cluster's files. */
export const seenClusterSchema = z.object({
  /** Number of older windows for which the cluster has a file. A listing of recent windows skips older windows. */
  files: z.number().int().nonnegative(),
  /**
   * Latest modification time of the cluster's files for older windows, in milliseconds since 1970, by the store's
   * clock. 0 if there are no such files.
   */
  newest: z.number().nonnegative(),
  /**
   * Whether the keys of the cluster's files for recent windows sort by time. If they do not, a listing of recent
   * windows would miss some of these files.
   */
  inOrder: z.boolean(),
});
export type SeenCluster = z.infer<typeof seenClusterSchema>;

/** Record of a full listing. Later runs use it to decide whether they need a full listing, too. */
export const fullListingSchema = z.object({
  /** Time when the run that made the listing began to plan, by the federator's clock, in RFC 3339 format. */
  at: z.string(),
  /** The clusters that have at least one window file, keyed by cluster id. */
  clusters: z.record(z.string(), seenClusterSchema),
});
export type FullListing = z.infer<typeof fullListingSchema>;

/**
 * The last full listing whose results a committed generation contains. The run that made the listing committed that
 * generation, or found that the generation already contained everything.
 */
export const lastFullListingSchema = fullListingSchema.extend({
  format: z.literal(1),
  /** Number of the generation that contains the results of the listing. */
  generation: z.number().int().positive(),
});
export type LastFullListing = z.infer<typeof lastFullListingSchema>;

export type Listing =
  /** All window files are listed. `why` is the reason. */
  | { readonly kind: 'full'; readonly why: string }
  /** Windows that ended before `since`, in unix seconds, may be skipped. `why` is the reason. */
  | { readonly kind: 'recent'; readonly why: string; readonly since: number };

export interface ListingInput {
  readonly base?: Generation;
  /**
   * Membership that the run uses. It includes clusters that have a folder, even if the folder contains no window file.
   */
  readonly membership: Membership;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  /** Ids of the windows in which the run accepts a source because a person has decided so. */
  readonly decided?: ReadonlySet<string>;
  readonly last?: LastFullListing;
  /** Time at which the plan is made, in unix seconds. */
  readonly now: number;
}

/** Returns whether a window ends after `since`, which is in unix seconds. */
export function isRecent({ window }: WindowRef, since: number): boolean {
  return window.end > since;
}

function isOlder(id: string, since: number): boolean {
  const ref = parseWindowId(id);
  return ref !== undefined && !isRecent(ref, since);
}

/**
 * Decides whether a plan needs a full listing. If it does not, the caller must list the clusters in `listedFirst` and
 * then call `outdated`, which may still demand a full listing.
 */
export function decideListing(input: ListingInput): Listing {
  const since = input.now - lookBack;
  const why = whyFull(input, since);
  return why === undefined
    ? { kind: 'recent', why: `the last full listing was at ${input.last?.at}`, since }
    : { kind: 'full', why };
}

function whyFull(
  { base, membership, request, decided, last, now }: ListingInput,
  since: number,
): string | undefined {
  if (request.full === true || request.force === true) return 'it was requested';
  if (base === undefined) return 'there is no generation yet';
  if (base.hold !== undefined) return 'a rollback is ended, so older windows differ from the files';
  if (base.mergeRevision !== mergeRevision) return 'the last generation is of another merge revision';
  // If a cluster is excluded or removed, or returns, all windows with its data change, including old ones.
  const left = base.membership.clusters.some((cluster) => !membership.clusters.includes(cluster));
  const returns = returningClusters(membership, base.membership).size > 0;
  if (!sameMembership(base.membership, membership) || left || returns) return 'the membership has changed';
  if (request.windows !== undefined && request.windows.start < since) return 'older windows were requested';
  if ([...(decided ?? [])].some((id) => isOlder(id, since))) return 'a source of an older window is accepted';
  if (last === undefined) return 'no full listing is known';
  if (last.generation > base.generation) return 'the last full listing is of a generation that is gone';
  const age = now - Date.parse(last.at) / 1_000;
  return age >= 0 && age < fullEvery ? undefined : `the last full listing was at ${last.at}`;
}

/**
 * Returns the clusters that are listed first. All of their files are listed, even if older windows of other clusters
 * are skipped. Older windows are those that ended before `since`. The clusters are:
 * - new clusters;
 * - clusters with a quarantined source for an older window, unless a person has dropped this source;
 * - clusters that may still be uploading their history: at the last full listing, they had no older windows, or their
 *   older windows had changed within the day before that listing;
 * - clusters with files for recent windows that a listing of recent windows would miss.
 */
export function listedFirst({ base, membership, last }: ListingInput, since: number): Set<string> {
  const known = new Set(base?.membership.clusters);
  const included = new Set(membership.clusters);
  const first = new Set<string>();
  for (const { cluster, window, dropped } of base?.quarantined ?? []) {
    if (included.has(cluster) && dropped === undefined && isOlder(window, since)) first.add(cluster);
  }
  for (const cluster of membership.clusters) {
    const seen = ownValue(last?.clusters, cluster);
    const settled =
      last !== undefined &&
      seen !== undefined &&
      seen.files > 0 &&
      seen.newest < Date.parse(last.at) - fullEvery * 1_000;
    if (!known.has(cluster) || !settled || !seen.inOrder) first.add(cluster);
  }
  return first;
}

/**
 * Decides, after some clusters have been listed, whether a full listing is needed. Returns the reason, or undefined if
 * none is needed. `listed` contains the clusters that have been listed completely. A full listing is needed if one of
 * these clusters is new, or if its older windows have changed since the last full listing.
 */
export function outdated(
  { base, last }: ListingInput,
  listed: ReadonlySet<string>,
  candidates: Candidates,
): string | undefined {
  const known = new Set<string>(base?.membership.clusters);
  const now = seenClusters(candidates, last === undefined ? 0 : horizon(last));
  for (const cluster of [...listed].sort(byBytes)) {
    const [before, after] = [ownValue(last?.clusters, cluster), now.get(cluster)];
    if (after !== undefined && !known.has(cluster)) return `${cluster} is new`;
    if ((before?.files ?? 0) !== (after?.files ?? 0) || (before?.newest ?? 0) !== (after?.newest ?? 0))
      return `older windows of ${cluster} changed`;
  }
  return undefined;
}

/** Creates the record of a full listing, for later runs. `now` is in unix seconds. */
export function describeFullListing(candidates: Candidates, now: number): FullListing {
  const at = new Date(now * 1_000).toISOString();
  return { at, clusters: Object.fromEntries(seenClusters(candidates, horizon({ at }))) };
}

function horizon({ at }: Pick<FullListing, 'at'>): number {
  return Date.parse(at) / 1_000 - lookBack;
}

function seenClusters(candidates: Candidates, since: number): Map<string, SeenCluster> {
  const seen = new Map(
    [...candidates.clusters()].map((cluster) => [cluster, { files: 0, newest: 0, inOrder: true }]),
  );
  for (const window of candidates.windows()) {
    const ref = parseWindowId(window);
    if (ref === undefined) continue;
    const recent = isRecent(ref, since);
    for (const [cluster, { path, modified }] of candidates.of(window)) {
      const of = seen.get(cluster);
      if (of === undefined) continue;
      if (recent) of.inOrder &&= sortsByTime(ref, path ?? window);
      else {
        of.files += 1;
        of.newest = Math.max(of.newest, modified);
      }
    }
  }
  return seen;
}

/**
 * Returns whether a time in unix seconds has ten digits, which is the case from 2001 to 2286. Such times sort the same
 * way as text and as numbers.
 */
const inDigits = (start: number) => start >= 1e9 && start < 1e10;

/**
 * Returns the path from which a listing of recent windows can continue after it has reached `path`, so that it skips
 * older files. Between `path` and the returned path, the folder has no file for a recent window, except files whose
 * names do not sort by time (see `sortsByTime`). No file has exactly the returned path. Both paths are below
 * `etl/bingen/`. Returns undefined if nothing can be skipped.
 */
export function recentFrom(path: string, since: number): string | undefined {
  const [pipeline = '', folder, name] = path.split('/');
  if (folder === undefined) return undefined;
  // `0` is the character after `/`, so this path sorts after everything in the folder.
  if (!isPipeline(pipeline)) return `${pipeline}0`;
  if (name === undefined) return undefined;
  const resolution = parseResolution(folder);
  if (resolution === undefined) return `${pipeline}/${folder}0`;
  const start = Math.floor(since) - resolution.seconds;
  const from = `${pipeline}/${folder}/${start}`;
  return inDigits(start) && byBytes(path, from) < 0 ? from : undefined;
}

/**
 * Returns whether a listing of recent windows is sure to find this file while its window is recent. If the file's name
 * sorts before the start of the window, `recentFrom` may skip the file.
 */
function sortsByTime({ window }: WindowRef, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return window.start < 1e9 || (inDigits(window.start) && byBytes(name, String(window.start)) >= 0);
}
