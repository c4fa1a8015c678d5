import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ExportedGeneration } from '../activities/cluster-activities';
import type { CommitResult } from '../activities/commit-generation';
import type { PullSummary } from '../activities/pull-summary';
import type { PushSummary } from '../activities/push-local-etl';
import { programVersion } from '../config/program-version';
import { ownValue } from '../etl/own-value';
import { type RunOutcome, runOutcomes } from '../federation/run';
import type { ClusterSummary } from '../operator/survey';
import type { StorageCall } from '../storage/with-metrics';
import { type Readiness, ready } from './health';

/** A completed run of an activity, successful or not. */
export interface ActivityRun {
  readonly activity: string;
  /** `ok`, the code of the error, or `cancelled`. */
  readonly outcome: string;
  readonly seconds: number;
  /** Result of the activity; undefined if it failed. */
  readonly result?: unknown;
}

/** Facts about the newest generation. */
export type NewestGeneration = Pick<
  Exclude<CommitResult, { status: 'replan' }>,
  'generation' | 'windows' | 'clusters' | 'quarantined' | 'shrunk' | 'onHold'
>;

/** Updates the metrics of a process. All metrics are listed in `docs/reference/metrics.md`. */
export interface RoleMetrics {
  storageCalled(call: StorageCall): void;
  activityRan(run: ActivityRun): void;
  federationEnded(outcome: RunOutcome): void;
  /** Sets the metrics about the newest generation. */
  generationFound(newest: NewestGeneration): void;
  /** Sets the metrics to the times at which the last run with each outcome ended, in milliseconds since the epoch. */
  federationsEndedAt(ends: ReadonlyMap<RunOutcome, number>): void;
  /** Sets the time at which the schedule of federations was created, in milliseconds since the epoch. */
  scheduledSince(at: number): void;
  /** Sets the time of the last successful push, in milliseconds since the epoch. See `lastSuccess`. */
  pushedAt(at: number): void;
  /** Sets the time of the last successful pull, in milliseconds since the epoch. See `lastSuccess`. */
  pulledAt(at: number): void;
  /** Sets the generation that was last exported completely. */
  exportedUpTo(generation: number): void;
  /** Sets the metrics about the last push of each cluster. */
  clustersJudged(clusters: readonly Pick<ClusterSummary, 'cluster' | 'lastPush' | 'silence'>[]): void;
}

/** Outcomes that count as a success, because the run did everything that there was to do. */
export const successful = [
  'complete',
  'partial',
  'nothing',
  'on-hold',
] as const satisfies readonly RunOutcome[];

/**
 * Registers the metrics of the process and its roles. Most metrics are absent, not 0, until they have a first value.
 */
export function registerRoleMetrics(registry: Registry, readiness: Readiness): RoleMetrics {
  collectDefaultMetrics({ register: registry });
  registerReadiness(registry, readiness);
  registerConditions(registry, readiness);
  const registers = [registry];
  new Gauge({
    name: 'federated_etl_build_info',
    help: 'Always 1; its labels say which version of the program runs, on which Node',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: programVersion(), node: process.versions.node }, 1);
  const calls = new Histogram({
    name: 'federated_etl_storage_call_seconds',
    help: 'Time of a call to the store, by verb and outcome: ok, a code of the catalogue, or aborted',
    labelNames: ['verb', 'outcome'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const moved = new Counter({
    name: 'federated_etl_storage_bytes_total',
    help: 'Bytes that calls to the store moved, by verb',
    labelNames: ['verb'],
    registers,
  });
  const runs = new Histogram({
    name: 'federated_etl_activity_seconds',
    help: 'Time of an activity, by name and outcome: ok, a code of the catalogue, or cancelled',
    labelNames: ['activity', 'outcome'],
    buckets: [0.05, 0.5, 2, 10, 60, 600],
    registers,
  });
  const succeeded = gauge('activity_last_success_timestamp_seconds', 'When an activity last succeeded', [
    'activity',
  ]);
  const pushFiles = gauge(
    'push_files',
    'Window files of the local ETL at the last push, by what became of them',
    ['state'],
  );
  const passedOver = gauge(
    'push_passed_over',
    'Places of the local ETL that the last push could not read, and links that it did not follow',
    ['kind'],
  );
  const pullState = gauge('pull_state', '1 for the state that the last pull ended in', ['state']);
  const pulled = gauge('pulled_generation', 'The generation that the last pull brought', []);
  const generation = gauge('generation', 'The newest generation', []);
  const windows = gauge('generation_windows', 'Windows of that generation', []);
  const clusters = gauge('generation_clusters', 'Clusters of that generation', []);
  const quarantined = gauge(
    'generation_quarantined',
    'Quarantined sources of that generation that nobody has dropped',
    [],
  );
  const shrunk = gauge(
    'generation_shrunk',
    'Sources of that generation that shrank while their windows were young, and were merged nevertheless',
    [],
  );
  const onHold = gauge('on_hold', '1 while a rollback keeps federations from committing', []);
  const federations = new Counter({
    name: 'federated_etl_federations_total',
    help: 'Federations that ended, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const lastFederation = gauge(
    'last_federation_timestamp_seconds',
    'When the last federation with an outcome ended, also if it was terminated',
    ['outcome'],
  );
  const lastSuccess = gauge(
    'last_successful_federation_timestamp_seconds',
    'When the last federation ended that committed, or had nothing to do',
    [],
  );
  const scheduled = gauge('schedule_since_timestamp_seconds', 'When the schedule was created', []);
  const lastPush = gauge(
    'last_push_timestamp_seconds',
    'When the last push succeeded, or began to fail; before the first, when its workflow was started',
    [],
  );
  const lastPull = gauge(
    'last_pull_timestamp_seconds',
    'When the last pull succeeded, or began to fail; before the first, when its workflow was started',
    [],
  );
  const exported = gauge('exported_generation', 'The generation that the last export completed', []);
  const clusterPush = gauge(
    'cluster_last_push_timestamp_seconds',
    'When the newest file of a cluster was written, by the clock of the store',
    ['cluster_id'],
  );
  const clusterState = gauge(
    'cluster_push_state',
    '1 for the state of a cluster that should push: on-time, late or gone',
    ['cluster_id', 'state'],
  );
  // Start the counter of each outcome at 0. Otherwise, the first failure would not show as an increase.
  if (readiness.roles.includes('federator'))
    for (const outcome of runOutcomes) federations.inc({ outcome }, 0);

  function gauge(name: string, help: string, labelNames: string[]): Gauge {
    const made = new Gauge({ name: `federated_etl_${name}`, help, labelNames, registers });
    // A gauge without labels starts at 0. Remove that value: it was never measured.
    if (labelNames.length === 0) made.remove();
    return made;
  }

  /** Functions that update metrics after an activity has succeeded, by the name of the activity. */
  const observers: Readonly<Record<string, (result: unknown) => void>> = {
    pushLocalEtl: (result) => {
      const { uploaded, unchanged, pulled, incomplete, refused, unreadable, links } = result as PushSummary;
      passedOver.set({ kind: 'unreadable' }, unreadable.count);
      passedOver.set({ kind: 'link' }, links.count);
      const states = { uploaded, unchanged, pulled, incomplete: incomplete.count, refused: refused.count };
      for (const [state, count] of Object.entries(states)) pushFiles.set({ state }, count);
    },
    pullCombined: (result) => {
      const summary = result as PullSummary;
      pullState.reset();
      pullState.set({ state: summary.state }, 1);
      if (summary.generation !== undefined) pulled.set(summary.generation);
    },
    exportCombined: (result) => {
      const { generation: upTo } = result as ExportedGeneration;
      if (upTo !== undefined) exported.set(upTo);
    },
    commitGeneration: (result) => {
      const committed = result as CommitResult;
      if (committed.status !== 'replan') generationFound(committed);
    },
  };

  function generationFound(newest: NewestGeneration): void {
    generation.set(newest.generation);
    windows.set(newest.windows);
    clusters.set(newest.clusters);
    quarantined.set(newest.quarantined);
    shrunk.set(newest.shrunk);
    onHold.set(newest.onHold ? 1 : 0);
  }

  return {
    storageCalled: ({ verb, outcome, ms, bytes }) => {
      calls.observe({ verb, outcome }, ms / 1_000);
      if (bytes !== undefined) moved.inc({ verb }, bytes);
    },
    activityRan: ({ activity, outcome, seconds, result }) => {
      runs.observe({ activity, outcome }, seconds);
      if (outcome !== 'ok') return;
      succeeded.set({ activity }, Date.now() / 1_000);
      ownValue(observers, activity)?.(result);
    },
    federationEnded: (outcome) => federations.inc({ outcome }),
    generationFound,
    federationsEndedAt: (ends) => {
      for (const [outcome, at] of ends) lastFederation.set({ outcome }, at / 1_000);
      const successes = successful.flatMap((outcome) => ends.get(outcome) ?? []);
      if (successes.length > 0) lastSuccess.set(Math.max(...successes) / 1_000);
    },
    scheduledSince: (at) => scheduled.set(at / 1_000),
    pushedAt: (at) => lastPush.set(at / 1_000),
    pulledAt: (at) => lastPull.set(at / 1_000),
    exportedUpTo: (upTo) => exported.set(upTo),
    clustersJudged: (judged) => {
      clusterPush.reset();
      clusterState.reset();
      for (const { cluster, lastPush: at, silence } of judged) {
        if (at !== undefined) clusterPush.set({ cluster_id: cluster }, Date.parse(at) / 1_000);
        if (silence.state !== 'not-expected')
          clusterState.set({ cluster_id: cluster, state: silence.state }, 1);
      }
    },
  };
}

/** Registers the metric about the conditions. It is absent for a condition that is unknown. */
function registerConditions(registry: Registry, { conditions }: Readiness): void {
  new Gauge({
    name: 'federated_etl_condition',
    help: '1 while a condition of a role holds, 0 while it does not',
    labelNames: ['role', 'condition'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { role, name: condition, holds } of conditions.current())
        if (holds !== 'unknown') this.set({ role, condition }, holds === 'yes' ? 1 : 0);
    },
  });
}

/**
 * Registers two metrics per role for use in alerts: the time when the process took on the role, and whether the role is
 * ready. Unlike most other metrics, they exist from the start.
 */
function registerReadiness(registry: Registry, readiness: Readiness): void {
  const registers = [registry];
  const since = new Gauge({
    name: 'federated_etl_role_since_timestamp_seconds',
    help: 'Since when the process has this role',
    labelNames: ['role'],
    registers,
  });
  for (const role of readiness.roles) since.set({ role }, Date.now() / 1_000);
  new Gauge({
    name: 'federated_etl_role_ready',
    help: '1 while the role does its work',
    labelNames: ['role'],
    registers,
    async collect() {
      for (const [role, state] of await readiness.read()) this.set({ role }, state === ready ? 1 : 0);
    },
  });
}
