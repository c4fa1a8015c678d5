import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { parseWindowId, type WindowRef } from '../etl/window';
import { byBytes } from '../federation/byte-order';
import type { ListedFile } from '../federation/candidates';
import type { Generation } from '../federation/generation';
import { keysOf } from '../federation/ids';
import type { Inventory } from '../federation/inventory';
import { describeRemoved, stillPushes } from '../federation/removal';
import { countMissing, judgeSilence, type Silence } from '../federation/silence';
import type { BucketReader } from '../storage/bucket';
import type { RosterState } from '../workflows/messages';
import { findNewest, type Newest } from './newest-generation';
import type { AskedClusters, TemporalView } from './temporal-view';

/** Summary of a cluster's windows that have the same pipeline and resolution. */
export interface WindowsSummary {
  readonly pipeline: string;
  readonly resolution: string;
  readonly count: number;
  /** End of the newest window, in RFC 3339 format. It shows how recent the data is. */
  readonly newestEnd: string;
  /**
   * Number of windows without a file, between the first window and the last one that the cluster should have pushed. 0
   * if nobody expects the cluster to push.
   */
  readonly missing: number;
}

export interface ClusterSummary {
  readonly cluster: string;
  readonly membership: 'in' | 'excluded' | 'removed' | 'not yet';
  /**
   * Why the cluster is excluded or removed, how its membership will change with the next run, or why its new files are
   * not merged.
   */
  readonly reason?: string;
  /** Set if the cluster has pushed since it was removed. */
  readonly stillPushing?: true;
  /** Time when the cluster's newest file was written, by the store's clock, in RFC 3339 format. */
  readonly lastPush?: string;
  /** Whether the cluster pushes as usual. */
  readonly silence: SilenceSummary;
  /** What wrote and pushed the cluster's newest file. Undefined if no generation includes the cluster. */
  readonly inventory?: Inventory;
  readonly windows: readonly WindowsSummary[];
}

/** Whether a cluster pushes as usual, as in `Silence`. */
export interface SilenceSummary extends Pick<Silence, 'state'> {
  /** The usual interval between two pushes, in milliseconds. */
  readonly usualMs: number;
  /** Set if the cluster is late only because it has just come back: the time of its first push, in RFC 3339 format. */
  readonly back?: string;
}

/** State of the federation, as far as the bucket shows it. */
export interface Survey extends Newest {
  readonly clusters: readonly { readonly cluster: ClusterId; readonly files: readonly ListedFile[] }[];
}

/**
 * Lists the files of the clusters, and reads the newest generation that is not damaged. With `since`, files of windows
 * that ended before this time (unix seconds) may be skipped to save requests.
 */
export async function surveyBucket(
  bucket: BucketReader,
  options: { readonly since?: number } = {},
): Promise<Survey> {
  const [found, newest] = await Promise.all([discoverClusters(bucket), findNewest(bucket)]);
  const { generation } = newest;
  const files = Map.groupBy(await listWindowFiles(bucket, found, options), (file) => file.cluster);
  const known = [
    ...(generation?.membership.clusters ?? []),
    ...keysOf(generation?.membership.excluded ?? {}),
    ...keysOf(generation?.membership.removed ?? {}),
  ];
  const clusters = [...new Set([...found, ...known])].sort(byBytes);
  return {
    clusters: clusters.map((cluster) => ({ cluster, files: files.get(cluster) ?? [] })),
    ...newest,
  };
}

/** Adds clusters that have no folder in the bucket yet, but push: their push workflows run. */
export function withPushing(survey: Survey, { pushing }: Pick<TemporalView, 'pushing'>): Survey {
  const known = new Set(survey.clusters.map(({ cluster }) => cluster));
  const found = pushing.filter((cluster) => !known.has(cluster)).map((cluster) => ({ cluster, files: [] }));
  return {
    ...survey,
    clusters: [...survey.clusters, ...found].sort((a, b) => byBytes(a.cluster, b.cluster)),
  };
}

/** Returns the clusters about which to ask Temporal. */
export function askedClusters({ clusters, generation }: Survey): AskedClusters {
  return {
    pushing: clusters.map(({ cluster }) => cluster),
    removed: keysOf(generation?.membership.removed ?? {}),
  };
}

/**
 * Summarizes a cluster's windows and its membership, and judges whether it has gone silent. The membership comes from
 * the newest generation. If the roster has changed it since, `reason` says so.
 */
export function summarizeCluster(
  { cluster, files }: Survey['clusters'][number],
  generation: Generation | undefined,
  { roster, stopped }: Partial<Pick<TemporalView, 'roster' | 'stopped'>>,
  now: number,
): ClusterSummary {
  const newest = files.reduce((latest, { modified }) => Math.max(latest, modified), 0);
  const member =
    removedAs(cluster, newest, generation) ??
    membershipOf(cluster, generation, roster?.loaded ? roster : undefined);
  const silence = judgeSilence({
    membership: member.membership,
    stopped: stopped?.has(cluster) === true,
    files,
    now,
  });
  const { state, usual, back, lastSeen = newest } = silence;
  const inventory = ownValue(generation?.writers, cluster)?.inventory;
  return {
    cluster,
    ...member,
    ...(lastSeen > 0 && { lastPush: new Date(lastSeen).toISOString() }),
    silence: { state, usualMs: usual, ...(back !== undefined && { back: new Date(back).toISOString() }) },
    ...(inventory && { inventory }),
    windows: summarizeWindows(files, (refs) =>
      state === 'not-expected' ? 0 : countMissing(refs, usual, now),
    ),
  };
}

/**
 * Returns the clusters that are late or gone, judging only by their files. Some of them may have been stopped on
 * purpose.
 */
export function silentClusters({ clusters, generation }: Survey, now: number): ClusterId[] {
  return clusters.flatMap((found) =>
    isSilent(summarizeCluster(found, generation, {}, now)) ? [found.cluster] : [],
  );
}

/** Returns whether a cluster that should push is late or gone. */
export function isSilent({ silence: { state } }: Pick<ClusterSummary, 'silence'>): boolean {
  return state === 'late' || state === 'gone';
}

/**
 * Returns a text that says who removed the cluster, and whether it still pushes. Returns undefined unless the cluster
 * is removed.
 */
function removedAs(
  cluster: ClusterId,
  lastPush: number,
  generation: Generation | undefined,
): Pick<ClusterSummary, 'membership' | 'reason' | 'stillPushing'> | undefined {
  const removed = ownValue(generation?.membership.removed, cluster);
  if (removed === undefined) return undefined;
  const reason = describeRemoved(removed);
  return stillPushes(removed, lastPush)
    ? { membership: 'removed', reason: `${reason}, still pushing`, stillPushing: true }
    : { membership: 'removed', reason };
}

function membershipOf(
  cluster: ClusterId,
  generation: Generation | undefined,
  roster: RosterState | undefined,
): Pick<ClusterSummary, 'membership' | 'reason'> {
  const exclusion = ownValue(roster?.exclusions, cluster);
  const out = ownValue(generation?.membership.excluded, cluster);
  if (out !== undefined) {
    const returns = out.by === 'person' && roster !== undefined && exclusion === undefined;
    return {
      membership: 'excluded',
      reason: returns
        ? 'included again from the next run on; not in the bucket yet'
        : `${out.by}: ${out.reason}`,
    };
  }
  const conflict = ownValue(generation?.nameConflicts, cluster);
  const reason =
    exclusion === undefined
      ? conflict && `nothing new is merged: carries ${Object.keys(conflict.names).join(', ')}`
      : `excluded from the next run on${exclusion.reason && `: ${exclusion.reason}`}; not in the bucket yet`;
  const included = generation?.membership.clusters.includes(cluster) === true;
  return { membership: included ? 'in' : 'not yet', ...(reason !== undefined && { reason }) };
}

function summarizeWindows(
  files: readonly ListedFile[],
  missing: (refs: readonly WindowRef[]) => number,
): WindowsSummary[] {
  const refs = [...new Set(files.map(({ window }) => window))].flatMap(
    (window) => parseWindowId(window) ?? [],
  );
  const groups = Map.groupBy(refs, ({ pipeline, resolution }) => `${pipeline}/${resolution}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const newestEnd = group.reduce((newest, { window }) => Math.max(newest, window.end), 0);
    return [
      {
        pipeline: first.pipeline,
        resolution: first.resolution,
        count: group.length,
        newestEnd: new Date(newestEnd * 1000).toISOString(),
        missing: missing(group),
      },
    ];
  });
}
