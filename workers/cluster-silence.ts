import type { Client } from '@temporalio/client';
import type { Log } from '../config/log';
import { advice } from '../operator/describe-silence';
import { formatAge, formatSpan } from '../operator/format';
import { stoppedPushes } from '../operator/stopped-pushes';
import { type ClusterSummary, silentClusters, summarizeCluster, surveyBucket } from '../operator/survey';
import type { BucketReader } from '../storage/bucket';
import type { Names } from '../workflows/names';
import { repeat } from './repeat';
import type { RoleContext } from './role';

/**
 * Interval between two checks, in milliseconds. It may be long, because a cluster is late after three hours at the
 * earliest.
 */
const everyMs = 600_000;
/**
 * How far back windows are listed, in seconds. Older windows do not matter, because each push writes the cluster's
 * newest windows.
 */
const listedSpan = 14 * 86_400;

/**
 * Keeps the metrics about the clusters' last pushes up to date, and logs which clusters go silent and come back. To do
 * so, lists the recent windows of all clusters every ten minutes. Returns a function that stops these listings.
 */
export function watchSilence({ bucket, client, names, log, metrics }: RoleContext): () => void {
  const logSilence = silenceLog(log);
  const look = async () => {
    try {
      const now = Date.now();
      const clusters = await judgeClusters({ bucket, client, names }, now);
      metrics.clustersJudged(clusters);
      logSilence(clusters, new Date(now));
    } catch (error) {
      log.debug(
        { event: 'federation.metrics-unknown', reason: error },
        'Federator could not find out when the clusters last pushed; it tries again in ten minutes',
      );
    }
  };
  return repeat(everyMs, look, { atOnce: true });
}

/** Judges which clusters have gone silent. The counts in the summaries cover only recent windows. */
export async function judgeClusters(
  {
    bucket,
    client,
    names,
  }: { readonly bucket: BucketReader; readonly client: Client; readonly names: Names },
  now: number,
): Promise<ClusterSummary[]> {
  const survey = await surveyBucket(bucket, { since: Math.floor(now / 1_000) - listedSpan });
  const stopped = await stoppedPushes(client, names, silentClusters(survey, now));
  return survey.clusters.map((found) => summarizeCluster(found, survey.generation, { stopped }, now));
}

type Judged = Pick<ClusterSummary, 'cluster' | 'lastPush' | 'silence'>;

/**
 * Returns a function that logs each cluster once when it becomes late or gone, and once when it is on time again. A
 * cluster that is late only because it has just come back is not logged.
 */
export function silenceLog(
  log: Pick<Log, 'info' | 'warn'>,
): (clusters: readonly Judged[], now: Date) => void {
  let known: ReadonlyMap<string, 'late' | 'gone'> = new Map();
  return (clusters, now) => {
    const silent = new Map<string, 'late' | 'gone'>();
    for (const { cluster, lastPush, silence } of clusters) {
      const { state, back, usualMs } = silence;
      const before = known.get(cluster);
      if (state === 'on-time' && before !== undefined)
        log.info(
          { event: 'cluster.back', cluster, lastPush },
          `Federator sees that ${cluster} pushes as usual again`,
        );
      if (state !== 'late' && state !== 'gone') continue;
      if (back !== undefined && before === undefined) continue;
      silent.set(cluster, state);
      if (before !== undefined && (state === 'late' || before === 'gone')) continue;
      const last =
        lastPush === undefined
          ? `it has no files for the last ${formatSpan(listedSpan * 1_000)}`
          : `it last pushed ${formatAge(lastPush, now)}, and usually pushes every ${formatSpan(usualMs)}`;
      log.warn(
        { event: 'cluster.silent', cluster, state, lastPush },
        `Federator sees that ${cluster} is ${state}: ${last}. ${advice[state]}`,
      );
    }
    known = silent;
  };
}
