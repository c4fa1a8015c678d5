import type { Client } from '@temporalio/client';
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
 * The windows of this last period are listed, in seconds. Older windows do not matter, because each push writes the
 * cluster's newest windows.
 */
const listedSpan = 14 * 86_400;

/**
 * Keeps the metrics about the clusters' last pushes up to date: lists the recent windows of all clusters every ten
 * minutes. Returns a function that stops this.
 */
export function watchSilence({ bucket, client, names, log, metrics }: RoleContext): () => void {
  const look = async () => {
    try {
      metrics.clustersJudged(await judgeClusters({ bucket, client, names }, Date.now()));
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
