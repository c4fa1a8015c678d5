import { z } from 'zod';
import { isPipeline, parseResolution, parseWindowId, type WindowRef } from '../etl/window';
import { byBytes } from './byte-order';
import type { Candidates } from './candidates';
import type { Generation } from './generation';
import { type Membership, returningClusters, sameMembership } from './membership';
import { mergeRevision } from './merge-revision';
import type { FederationRequest } from './run';

/**
 * How much of the bucket a federation lists. Keys sort by time, so a recent listing can skip what lies before recent
 * changes. It says nothing about older windows. Once a day, and whenever they could matter, a full listing lists
 * everything.
 */

const day = 86_400;
/** A recent listing covers the windows that ended within this many seconds. */
const lookBack = 7 * day;
/** Seconds from one full listing to the next. */
const fullEvery = day;

/** A cluster as a full listing saw it. */
export const seenClusterSchema = z.object({
  /** Number of files that count, of windows that were not recent. */
  files: z.number().int().nonnegative(),
  /** Last modification of these, by the store's clock in milliseconds since 1970; 0 if there are none. */
  newest: z.number().nonnegative(),
  /** Whether a recent listing finds every recent file of the cluster. */
  inOrder: z.boolean(),
});
export type SeenCluster = z.infer<typeof seenClusterSchema>;

/** The result of a full listing that later runs need. */
export const fullListingSchema = z.object({
  /** Start of the plan that listed, RFC 3339, by the federator's clock. */
  at: z.string(),
  /** The clusters that have a window, by id. */
  clusters: z.record(z.string(), seenClusterSchema),
});
export type FullListing = z.infer<typeof fullListingSchema>;

/** The last full listing whose run committed its findings, or found them committed already. */
export const lastFullListingSchema = fullListingSchema.extend({
  format: z.literal(1),
  /** The generation that includes its findings. */
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
  /** Includes clusters that have a folder but perhaps no window. */
  readonly membership: Membership;
  readonly request: Pick<FederationRequest, 'windows' | 'force' | 'full'>;
  readonly last?: LastFullListing;
  /** In unix seconds. */
  readonly now: number;
}

/** Whether a window ended, or will end, after a time in unix seconds. */
export function isRecent({ window }: WindowRef, since: number): boolean {
  return window.end > since;
}

/** Decides which listing a plan is made from. A recent one is valid only if `outdated` returns undefined. */
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
  // Clusters leave and return in all windows.
  if (!sameMembership(base.membership, membership) || returningClusters(membership, base.membership).size > 0)
    return 'the membership has changed';
  if (request.windows !== undefined && request.windows.start < since) return 'older windows were requested';
  if (last === undefined) return 'no full listing is known';
  if (last.generation > base.generation) return 'the last full listing is of a generation that is gone';
  const age = now - Date.parse(last.at) / 1_000;
  return age >= 0 && age < fullEvery ? undefined : `the last full listing was at ${last.at}`;
}

/**
 * The clusters that even a recent listing lists in full, and first: new ones, those with a quarantined source of an older
 * window, those that had no older windows or wrote some within a day before the last full listing (they may still be
 * uploading their history), and those whose recent files a recent listing would miss.
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
 * The reason why a recent listing is not enough, given the clusters that were listed in full: one of them is new, or its
 * older windows differ from the last full listing.
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

/** The record of a full listing for later runs. `now` is in unix seconds. */
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

/** Ten-digit numbers sort the same as text and as numbers: times from 2001 to 2286. */
const inDigits = (start: number) => start >= 1e9 && start < 1e10;

/**
 * Where to continue a listing at `path` so that it still finds every recent file of the path's folder; undefined if that
 * is not after the path. Both are paths below `etl/bingen/`; the result names no file.
 */
export function recentFrom(path: string, since: number): string | undefined {
  const [pipeline = '', folder, name] = path.split('/');
  if (folder === undefined) return undefined;
  // `0` is the character after `/`, so this sorts after everything in the folder.
  if (!isPipeline(pipeline)) return `${pipeline}0`;
  if (name === undefined) return undefined;
  const resolution = parseResolution(folder);
  if (resolution === undefined) return `${pipeline}/${folder}0`;
  const start = Math.floor(since) - resolution.seconds;
  const from = `${pipeline}/${folder}/${start}`;
  return inDigits(start) && byBytes(path, from) < 0 ? from : undefined;
}

/** Whether a listing continued at `recentFrom` finds the file while its window is recent. */
function sortsByTime({ window }: WindowRef, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return window.start < 1e9 || (inDigits(window.start) && byBytes(name, String(window.start)) >= 0);
}
