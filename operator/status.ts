import type { Settings } from '../config/settings';
import { adviseOnNameConflict, describeNameConflict } from '../federation/name-conflicts';
import type { FederationReport } from '../federation/run';
import type { PullState, PushState } from '../workflows/messages';
import { describeConditions } from './describe-conditions';
import { describeSkew } from './describe-skew';
import { type GenerationSummary, summarizeGeneration } from './generations';
import { briefTimeoutMs, type Operator } from './operator';
import { describeOtherBucket } from './other-bucket';
import type { ScheduleState } from './read-schedule';
import { readRuns, type Run } from './runs';
import { askedClusters, type ClusterSummary, summarizeCluster, surveyBucket, withPushing } from './survey';
import { type ReportedCondition, temporalView } from './temporal-view';
import { listToDo, unmentioned } from './to-do';

/** State of the whole pipeline. `status --json` prints exactly this. Times are in RFC 3339 format. */
export interface Status {
  /** Address of the bucket. */
  readonly bucket: string;
  readonly clusters: readonly ClusterStatus[];
  /** The newest federation run; undefined if there has been none. */
  readonly lastRun?: {
    readonly run: string;
    readonly outcome: Run['outcome'];
    readonly requestedAt?: string;
    readonly endedAt?: string;
    readonly error?: FederationReport['error'];
  };
  /** The schedule of the federations. Undefined if it could not be read, which `missing` then says. */
  readonly schedule?: ScheduleState | 'absent';
  /** The newest generation that can be read; undefined if there is none. */
  readonly generation?: Omit<GenerationSummary, 'run' | 'federator' | 'size'>;
  /** The clusters whose records contain names of other clusters, with advice on what to do. */
  readonly nameConflicts: readonly {
    readonly cluster: string;
    readonly detail: string;
    readonly todo: string;
  }[];
  /** Sentences that say which documents in the bucket are damaged, and what to do about it. */
  readonly damaged: readonly string[];
  readonly primaries: readonly PullState[];
  /** The conditions of each cluster's roles, as the cluster's process last reported them. */
  readonly conditions: readonly ReportedCondition[];
  /** Sentences that say what could not be determined. */
  readonly missing: readonly string[];
  /**
   * Things to do before data flows from all clusters to the primaries: missing set-up steps, a paused or missing
   * schedule, clusters that have gone silent, and conditions that do not hold. Empty if there is nothing to do.
   */
  readonly toDo: readonly string[];
}

/** A cluster with the state of its push workflow. `push` is undefined if the workflow does not answer. */
export interface ClusterStatus extends ClusterSummary {
  readonly push?: PushState;
}

/** Reads the bucket and queries Temporal. If Temporal or a workflow does not answer, `missing` says what is unknown. */
export async function readStatus(
  operator: Operator & { readonly settings: Pick<Settings, 'federator'> },
): Promise<Status> {
  const bucket = await operator.bucket();
  // Connect to Temporal while the bucket is listed. `temporalView` reports a failure.
  const connecting = operator.temporal({ timeoutMs: briefTimeoutMs }).catch(() => undefined);
  const stored = await surveyBucket(bucket);
  await connecting;
  const now = new Date();
  const [view, found] = await Promise.all([
    temporalView(operator, askedClusters(stored)),
    readRuns(operator, 1),
  ]);
  const survey = withPushing(stored, view);
  const { generation } = survey;
  const [lastRun] = found.runs;
  const otherBucket = await describeOtherBucket(bucket, survey, view);
  const clusters = survey.clusters.map((found) => ({
    ...summarizeCluster(found, generation, view, now.getTime()),
    push: view.push.get(found.cluster),
  }));
  return {
    bucket: bucket.label,
    clusters,
    lastRun: lastRun && {
      run: lastRun.run,
      outcome: lastRun.outcome,
      requestedAt: lastRun.request?.at,
      endedAt: lastRun.endedAt,
      error: lastRun.error,
    },
    ...(view.schedule !== undefined && { schedule: view.schedule }),
    generation: generation && glance(summarizeGeneration(generation)),
    nameConflicts: Object.entries(generation?.nameConflicts ?? {}).map(([cluster, conflict]) => ({
      cluster,
      detail: describeNameConflict(cluster, conflict),
      todo: adviseOnNameConflict(cluster, conflict),
    })),
    damaged: [...survey.damage, ...found.damaged],
    primaries: [...view.pull.values()],
    conditions: view.conditions,
    // Omit `found.missing`: if Temporal does not answer, `view.missing` already says so.
    missing: view.missing,
    toDo:
      otherBucket === undefined
        ? [
            ...listToDo({ survey, listed: true, clusters, lastRun, view }, operator, now),
            ...describeConditions(unmentioned(view, clusters), now),
            ...describeSkew(clusters, generation),
          ]
        : [otherBucket],
  };
}

function glance(summary: GenerationSummary): Status['generation'] {
  const { run: _run, federator: _federator, size: _size, ...shown } = summary;
  return shown;
}
