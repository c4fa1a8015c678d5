import { formatDuration } from '../config/durations';
import type { Settings } from '../config/settings';
import { catalog, isErrorCode } from '../errors/catalog';
import { hintFor, withHint } from '../errors/hints';
import { count } from '../federation/count';
import type { Generation } from '../federation/generation';
import { shortList } from '../query/notes';
import type { PushState } from '../workflows/messages';
import { describeSilent } from './describe-silence';
import type { Operator } from './operator';
import { describePause, unpauseCommand } from './read-schedule';
import type { Run } from './runs';
import { type ClusterSummary, isSilent, type Survey } from './survey';
import type { ReportedCondition, TemporalView } from './temporal-view';

/** What is known about the federation. */
export interface Found {
  readonly survey: Survey;
  /** Whether the files of the clusters could be listed. If not, the list does not mention the clusters' pushes. */
  readonly listed: boolean;
  readonly clusters: readonly ClusterSummary[];
  /** The newest federation run; undefined if there has been none. */
  readonly lastRun: Run | undefined;
  readonly view: TemporalView;
}

/**
 * Lists what a person should do about missing set-up steps, a paused or missing schedule, clusters that have gone
 * silent, and pushes and pulls that cannot go on. One or two sentences each.
 */
export function listToDo(
  found: Found,
  { settings, names }: Pick<Operator, 'names'> & { readonly settings: Pick<Settings, 'federator'> },
  now: Date,
): string[] {
  return [
    ...setUpSteps(found, settings.federator),
    ...aboutSchedule(found.view.schedule, names.schedule, found.lastRun),
    ...(found.listed ? [...describeSilent(found.clusters, now), ...describeNeverPushed(found)] : []),
    ...describeStopped(found),
    ...describeTwoWriters(found.survey.generation),
  ];
}

/** Says of each cluster that pushes, but has no files in the bucket yet, why nothing comes. */
function describeNeverPushed(found: Pick<Found, 'survey' | 'view'>): string[] {
  return neverPushed(found).map(
    (cluster) => `${cluster} has not pushed anything yet. ${whyNothingComes(found.view.push.get(cluster))}`,
  );
}

function neverPushed({ survey, view }: Pick<Found, 'survey' | 'view'>): string[] {
  const members = new Set<string>(survey.generation?.membership.clusters);
  const isEmpty = (cluster: string) =>
    survey.clusters.some((one) => one.cluster === cluster && one.files.length === 0);
  return view.pushing.filter((cluster) => isEmpty(cluster) && !members.has(cluster));
}

/** Names the pushes and pulls that keep failing until a person acts, with what to do. */
function describeStopped(found: Pick<Found, 'survey' | 'listed' | 'view'>): string[] {
  const mentioned = new Set(found.listed ? neverPushed(found) : []);
  return stopped(found.view)
    .filter(({ role, cluster }) => role !== 'federatedCluster' || !mentioned.has(cluster))
    .map(
      ({ role, cluster, since, ...error }) =>
        `${cluster}: its ${role === 'primaryCluster' ? 'pulls' : 'pushes'} have failed since ${since}: ${withHint(error)}`,
    );
}

/**
 * Returns the failures of pushes and pulls that a retry cannot mend, except those that a condition of the same role
 * explains, such as `store`.
 */
function stopped({ push, pull, conditions }: Pick<TemporalView, 'push' | 'pull' | 'conditions'>) {
  const explains = ({ holds, name, reason }: ReportedCondition, code: string) =>
    holds === 'no' && name !== 'freshness' && reason?.includes(code) === true;
  const failures = [
    ...[...push].map(([cluster, { error }]) => ({ role: 'federatedCluster' as const, cluster, error })),
    ...[...pull].map(([cluster, { error }]) => ({ role: 'primaryCluster' as const, cluster, error })),
  ];
  return failures.flatMap(({ role, cluster, error }) => {
    if (error === undefined || !isErrorCode(error.code) || catalog[error.code].retryable) return [];
    const { code } = error;
    const own = conditions.filter((one) => one.cluster === cluster && one.role === role);
    return own.some((one) => explains(one, code)) ? [] : [{ role, cluster, ...error, code }];
  });
}

const lookThere = 'Run `federated-etl doctor` there, and look at its log.';

function whyNothingComes(push: PushState | undefined): string {
  if (push === undefined) return `Its push workflow runs, but the cluster does not answer. ${lookThere}`;
  const { error, summary } = push;
  if (error !== undefined)
    return `Its pushes have failed since ${error.since}: ${withHint({ ...error, hint: hintFor(error) ?? lookThere })}`;
  if (summary === undefined) return 'Its first push has not ended yet.';
  if (summary.files === 0)
    return 'Its local ETL has no window files: check that the cost-model builds ETL files, and that localEtl.path is the folder that contains `bingen`.';
  return `None of the ${count(summary.files, 'window file')} in its local ETL could be pushed. ${lookThere}`;
}

/** Names the clusters to whose folders two agents push, as far as the last federation has noticed. */
function describeTwoWriters(generation: Generation | undefined): string[] {
  const { means, hint } = catalog.FOLDER_TWO_WRITERS;
  const clusters = (generation?.notices ?? []).flatMap(({ cluster, code }) =>
    code === 'FOLDER_TWO_WRITERS' ? [cluster] : [],
  );
  return clusters.length === 0 ? [] : [`FOLDER_TWO_WRITERS: ${shortList(clusters)}: ${means} ${hint}`];
}

/**
 * Returns the conditions that do not hold. Omits `freshness` of a silent Federated Cluster, and of a role whose pushes
 * or pulls have stopped, because `listToDo` already reports this. Keeps the condition of a missing schedule, because
 * its reason says why the schedule could not be created.
 */
export function unmentioned(
  view: Pick<TemporalView, 'conditions' | 'push' | 'pull'>,
  clusters: readonly Pick<ClusterSummary, 'cluster' | 'silence'>[],
): ReportedCondition[] {
  const mentioned = new Set([
    ...clusters.filter(isSilent).map(({ cluster }) => `federatedCluster ${cluster}`),
    ...stopped(view).map(({ role, cluster }) => `${role} ${cluster}`),
  ]);
  return view.conditions
    .filter(({ holds }) => holds === 'no')
    .filter(({ role, name, cluster }) => name !== 'freshness' || !mentioned.has(`${role} ${cluster}`));
}

function aboutSchedule(schedule: TemporalView['schedule'], id: string, lastRun: Run | undefined): string[] {
  if (schedule === 'absent') {
    // Before the first run, a step of the set-up already says what to do.
    if (lastRun === undefined) return [];
    return [
      'The schedule is missing, so no federation starts by itself. A federator that is running creates it within minutes. If none is, start `federated-etl run` on the federator.',
    ];
  }
  if (schedule?.paused === undefined) return [];
  return [`The schedule is ${describePause(schedule.paused)}. To end the pause: \`${unpauseCommand(id)}\`.`];
}

/** Lists the set-up steps that are still missing, each with instructions. */
function setUpSteps(
  {
    survey: { clusters, generation, damage },
    listed,
    lastRun,
    view,
  }: Pick<Found, 'survey' | 'listed' | 'lastRun' | 'view'>,
  { firstRunAfterMs, runEveryMs }: Settings['federator'],
): string[] {
  const when = `${formatDuration(firstRunAfterMs)} after the federator starts, then every ${formatDuration(runEveryMs)}`;
  const steps: [missing: boolean, what: string][] = [
    [
      listed && clusters.every(({ files }) => files.length === 0),
      'No cluster has pushed yet: set federatedETL.federatedCluster to true on each cluster, and start `federated-etl run` there.',
    ],
    [
      lastRun === undefined,
      `No federation has run yet: set federatedETL.federator.enabled to true on one cluster. It runs ${when}; \`federated-etl federate\` starts one now.`,
    ],
    [
      generation === undefined && damage.length === 0,
      'No generation has been committed yet: the first federation that finds data commits one.',
    ],
    [
      view.roster !== undefined && view.roster.primaries.length === 0,
      'No primary is known: set federatedETL.primaryCluster to true on the cluster that should serve the combined set.',
    ],
  ];
  return steps.filter(([missing]) => missing).map(([, what]) => what);
}
