import { z } from 'zod';
import { isPipeline, parseResolution, parseWindowId, type WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates } from './candidates';
import type { Generation } from './generation';
import { type Membership, returningClusters, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import type { FederationRequest } from './run';

/**
 * Decides how much of the bucket a federation lists. Keys sort by time, so a recent listing can skip older windows, but
 * then finds out nothing about them. Once a day, and whenever older windows could matter, a full listing lists
 * everything.
 */

const day = 86_400;
/**
 * How far a recent listing looks back, in seconds. It covers the windows that ended within this time or have not ended.
 */
const lookBack = 7 * day;
/** Seconds from one full listing to the next. */
const fullEvery = day;

/** What a full listing found in a cluster's folder. */
export const seenClusterSchema = z.object({
  /** Number of older (not recent) windows for which the cluster has a file. */
  files: z.number().int().nonnegative(),
  /**
   * Time of the last modification of a file of these windows, by the store's clock in milliseconds since 1970; 0 if
   * there are none.
   */
  newest: z.number().nonnegative(),
  /** Whether the cluster's recent files sort by time, so that a recent listing finds all of them. */
  inOrder: z.boolean(),
});
export type SeenCluster = z.infer<typeof seenClusterSchema>;

/** What later runs need to know of a full listing. */
export const fullListingSchema = z.object({
  /** Time when the plan that made the listing started, RFC 3339, by the federator's clock. */
  at: z.string(),
  /** The clusters that have a window, by id. */
  clusters: z.record(z.string(), seenClusterSchema),
});
export type FullListing = z.infer<typeof fullListingSchema>;

/**
 * The last full listing whose findings are in a generation: its run committed them, or they had been committed already.
 */
export const lastFullListingSchema = fullListingSchema.extend({
  format: z.literal(1),
  /** Number of the generation that includes the findings. */
  generation: z.number().int().positive(),
});
export type LastFullListing = z.infer<typeof lastFullListingSchema>;

export type Listing =
  /** Everything is listed; `why` gives the reason. */
  | { readonly kind: 'full'; readonly why: string }
  /** Windows that ended before `since` (unix seconds) are not looked at. */
  | { readonly kind: 'recent'; readonly why: string; readonly since: number };

export interface ListingInput {
  readonly base?: Generation;
  /** Membership of the run. Includes clusters that have a folder but perhaps no window. */
  readonly membership: Membership;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  readonly last?: LastFullListing;
  /** Time of the plan, in unix seconds. */
  readonly now: number;
}

/** Whether a window ended, or will end, after `since` (unix seconds). */
export function isRecent({ window }: WindowRef, since: number): boolean {
  return window.end > since;
}

/** Chooses a full or a recent listing for a plan. A recent one is enough only if `outdated` returns undefined. */
export function decideListing(input: ListingInput): Listing {
  const since = input.now - lookBack;
  const why = whyFull(input, since);
  return why === undefined
    ? { kind: 'recent', why: `the last full listing was at ${input.last?.at}`, since }
    : { kind: 'full', why };
}

function whyFull({ base, membership, request, last, now }: ListingInput, since: number): string | undefined {
  if (request.full === true || request.force === true) return 'it was requested';
  if (base === undefined) return 'there is no generation yet';
  if (base.mergeRevision !== mergeRevision) return 'the last generation is of another merge revision';
  // If a cluster leaves or returns, all its windows change, including old ones.
  if (!sameMembership(base.membership, membership) || returningClusters(membership, base.membership).size > 0)
    return 'the membership has changed';
  if (request.windows !== undefined && request.windows.start < since) return 'older windows were requested';
  if (last === undefined) return 'no full listing is known';
  if (last.generation > base.generation) return 'the last full listing is of a generation that is gone';
  const age = now - Date.parse(last.at) / 1_000;
  return age >= 0 && age < fullEvery ? undefined : `the last full listing was at ${last.at}`;
}

/**
 * Finds the clusters that are listed first, and in full even by a recent listing:
 * - new clusters;
 * - clusters with a quarantined source of an older window;
 * - clusters that had no older windows, or wrote some within a day before the last full listing: they may still be
 *   uploading their history;
 * - clusters whose recent files a recent listing would miss.
 */
export function listedFirst({ base, membership, last }: ListingInput, since: number): Set<string> {
  const known = new Set(base?.membership.clusters);
  const included = new Set(membership.clusters);
  const first = new Set<string>();
  for (const { cluster, window } of base?.quarantined ?? []) {
    const ref = parseWindowId(window);
    if (included.has(cluster) && ref !== undefined && !isRecent(ref, since)) first.add(cluster);
  }
  for (const cluster of membership.clusters) {
    const seen = last?.clusters[cluster];
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
 * Returns the reason why a recent listing is not enough, or undefined if it is. It is not enough if a cluster that was
 * listed in full is new, or if its older windows differ from the last full listing.
 */
export function outdated(
  { base, last }: ListingInput,
  listed: ReadonlySet<string>,
  candidates: Candidates,
): string | undefined {
  const known = new Set<string>(base?.membership.clusters);
  const now = seenClusters(candidates, last === undefined ? 0 : horizon(last));
  for (const cluster of [...listed].sort(byBytes)) {
    const [before, after] = [last?.clusters[cluster], now.get(cluster)];
    if (after !== undefined && !known.has(cluster)) return `${cluster} is new`;
    if ((before?.files ?? 0) !== (after?.files ?? 0) || (before?.newest ?? 0) !== (after?.newest ?? 0))
      return `older windows of ${cluster} changed`;
  }
  return undefined;
}

/** Creates the record of a full listing for later runs. `now` is in unix seconds. */
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
 * Whether a time in unix seconds has ten digits, as from 2001 to 2286: such times sort the same as text and as numbers.
 */
const inDigits = (start: number) => start >= 1e9 && start < 1e10;

/**
 * Returns the path from which a listing that has reached `path` can continue without missing a recent file of the same
 * folder. Returns undefined if that is not after `path`. Both paths are below `etl/bingen/`. No file has the returned
 * path.
 */
export function recentFrom(path: string, since: number): string | undefined {
  const [pipeline = '', folder, name] = path.split('/');
  if (folder === undefined) return undefined;
  // `0` is the character after `/`, so the result sorts after everything in the folder.
  if (!isPipeline(pipeline)) return `${pipeline}0`;
  if (name === undefined) return undefined;
  const resolution = parseResolution(folder);
  if (resolution === undefined) return `${pipeline}/${folder}0`;
  const start = Math.floor(since) - resolution.seconds;
  const from = `${pipeline}/${folder}/${start}`;
  return inDigits(start) && byBytes(path, from) < 0 ? from : undefined;
}

/**
 * Whether a listing that continues at the path from `recentFrom` finds this file for as long as its window is recent.
 */
function sortsByTime({ window }: WindowRef, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return window.start < 1e9 || (inDigits(window.start) && byBytes(name, String(window.start)) >= 0);
}
