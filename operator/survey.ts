import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import type { ClusterId } from '../etl/cluster-id';
import { ownValue } from '../etl/own-value';
import { parseWindowId } from '../etl/window';
import { byBytes } from '../federation/byte-order';
import type { ListedFile } from '../federation/candidates';
import type { Generation } from '../federation/generation';
import { keysOf } from '../federation/ids';
import { describeRemoved, stillPushes } from '../federation/removal';
import type { BucketReader } from '../storage/bucket';
import type { RosterState } from '../workflows/messages';
import { findNewest, type Newest } from './newest-generation';

/** Summary of a cluster's windows that have the same pipeline and resolution. */
export interface WindowsSummary {
  readonly pipeline: string;
  readonly resolution: string;
  readonly count: number;
  /** End of the newest window, in RFC 3339 format. It shows how recent the data is. */
  readonly newestEnd: string;
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
  readonly windows: readonly WindowsSummary[];
}

/** State of the federation, as far as the bucket shows it. */
export interface Survey extends Newest {
  readonly clusters: readonly { readonly cluster: ClusterId; readonly files: readonly ListedFile[] }[];
}

/** Lists the files of the clusters, and reads the newest generation that is not damaged. */
export async function surveyBucket(bucket: BucketReader): Promise<Survey> {
  const [found, newest] = await Promise.all([discoverClusters(bucket), findNewest(bucket)]);
  const { generation } = newest;
  const files = Map.groupBy(await listWindowFiles(bucket, found), (file) => file.cluster);
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

/**
 * Summarizes a cluster's windows and its membership. The membership comes from the newest generation. If the roster has
 * changed it since, `reason` says so.
 */
export function summarizeCluster(
  { cluster, files }: Survey['clusters'][number],
  generation: Generation | undefined,
  roster: RosterState | undefined,
): ClusterSummary {
  const lastPush = files.reduce((latest, { modified }) => Math.max(latest, modified), 0);
  return {
    cluster,
    ...(removedAs(cluster, lastPush, generation) ??
      membershipOf(cluster, generation, roster?.loaded ? roster : undefined)),
    ...(lastPush > 0 && { lastPush: new Date(lastPush).toISOString() }),
    windows: summarizeWindows(files),
  };
}

/** Says who removed the cluster, and whether it still pushes. Returns undefined unless the cluster is removed. */
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

function summarizeWindows(files: readonly ListedFile[]): WindowsSummary[] {
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
      },
    ];
  });
}
