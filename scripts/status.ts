import type { Command } from 'commander';
import { formatDuration } from '../config/durations';
import type { Settings } from '../config/settings';
import type { PullState } from '../workflows/messages';
import { openContext, type CommandOptions } from './context';
import { count, formatAge } from '../operator/format';
import { formatTable, print, printJson } from './output';
import { summarizeCluster, surveyBucket, type ClusterSummary, type Survey } from '../operator/survey';
import { temporalView, type TemporalView } from '../operator/temporal-view';

/** What `status --json` prints. */
interface Status {
  readonly bucket: string;
  readonly clusters: readonly (ClusterSummary & { readonly push?: object })[];
  readonly lastRun?: {
    readonly run: string;
    readonly outcome: string;
    readonly requestedAt?: string;
    readonly endedAt?: string;
    readonly error?: object;
  };
  readonly generation?: {
    readonly generation: number;
    readonly committedAt: string;
    readonly clusters: number;
    readonly windows: number;
    readonly quarantined: number;
  };
  readonly primaries: readonly object[];
  /** What could not be found out, in sentences. */
  readonly missing: readonly string[];
  /** What is still to be done before the pipeline works from end to end; empty once it does. */
  readonly toDo: readonly string[];
}

/** Adds the verb `status` to the program. */
export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('show the whole pipeline: what clusters push, the last federation, what primaries hold')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl status --config cluster-4.yaml\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
      await using context = openContext(options);
      const bucket = await context.bucket();
      const survey = await surveyBucket(bucket);
      const view = await temporalView(
        context,
        survey.clusters.map(({ cluster }) => cluster),
      );
      const status = compile(bucket.label, survey, view, context.settings);
      if (options.json) printJson(status);
      else show(status, view, new Date());
    });
}

function compile(bucket: string, survey: Survey, view: TemporalView, settings: Settings): Status {
  const { generation, lastRun } = survey;
  return {
    bucket,
    clusters: survey.clusters.map((found) => ({
      ...summarizeCluster(found, generation, view.roster),
      push: view.push.get(found.cluster),
    })),
    lastRun: lastRun && {
      run: lastRun.run,
      outcome: lastRun.outcome,
      requestedAt: lastRun.request?.at,
      endedAt: lastRun.report?.endedAt,
      error: lastRun.report?.error,
    },
    generation: generation && {
      generation: generation.generation,
      committedAt: generation.committedAt,
      clusters: generation.membership.clusters.length,
      windows: Object.keys(generation.windows).length,
      quarantined: generation.quarantined.length,
    },
    primaries: [...view.pull.values()],
    missing: view.missing,
    toDo: toDo(survey, view, settings),
  };
}

/** The steps of a first run that are not done yet, each with what does it. */
function toDo({ clusters, generation, lastRun }: Survey, view: TemporalView, settings: Settings): string[] {
  const { firstRunAfterMs, runEveryMs } = settings.federator;
  const when = `${formatDuration(firstRunAfterMs)} after the federator starts, then every ${formatDuration(runEveryMs)}`;
  const steps: [missing: boolean, what: string][] = [
    [
      clusters.every(({ files }) => files.length === 0),
      'No cluster has pushed yet: set federatedETL.federatedCluster to true on each cluster, and `federated-etl run` there.',
    ],
    [
      lastRun === undefined,
      `No federation has run yet: set federatedETL.federator.enabled to true on one cluster. It runs ${when}; \`federated-etl federate\` does not wait.`,
    ],
    [
      generation === undefined,
      'No generation is committed yet: one comes with the first federation that finds data.',
    ],
    [
      view.roster !== undefined && view.roster.primaries.length === 0,
      'No primary is known: set federatedETL.primaryCluster to true on the cluster that shall serve what is combined.',
    ],
  ];
  return steps.filter(([missing]) => missing).map(([, what]) => what);
}

function show(status: Status, view: TemporalView, now: Date): void {
  const { generation, lastRun } = status;
  print(`bucket      ${status.bucket}`);
  if (generation === undefined) print('generation  none yet');
  else {
    const { clusters, windows, quarantined } = generation;
    const suffix =
      quarantined === 0
        ? ''
        : `, ${count(quarantined, 'quarantined source')} (see \`federated-etl quarantine\`)`;
    print(
      `generation  ${generation.generation}, ${formatAge(generation.committedAt, now)}: ${count(clusters, 'cluster')}, ${count(windows, 'window')}${suffix}`,
    );
  }
  if (lastRun === undefined) print('last run    none yet');
  else {
    const at = lastRun.endedAt ?? lastRun.requestedAt;
    print(
      `last run    ${lastRun.run}: ${lastRun.outcome === 'unknown' ? 'no report yet' : lastRun.outcome}${at ? `, ${formatAge(at, now)}` : ''}`,
    );
  }
  section('Clusters', showClusters(status.clusters, now));
  section('Pushes that need a look', showPushes(view));
  section('Primaries', showPrimaries(view, now));
  section('Not shown', status.missing.join('\n'));
  section('To do', status.toDo.map((step) => `- ${step}`).join('\n'));
}

function section(title: string, text: string): void {
  if (text !== '') print(`\n${title}\n${text}`);
}

/** A line a cluster, pipeline and resolution; what is said once of a cluster stands in its first line. */
function showClusters(clusters: readonly ClusterSummary[], now: Date): string {
  const rows = clusters.flatMap(({ cluster, membership, reason, lastPush, windows }) => {
    const about = [
      cluster,
      reason === undefined ? membership : `${membership} (${reason})`,
      lastPush && formatAge(lastPush, now),
    ];
    if (windows.length === 0) return [[...about.slice(0, 2), 'never', '', 0, '']];
    return windows.map(({ pipeline, resolution, count: number, newestEnd }, index) => [
      ...(index === 0 ? about : ['', '', '']),
      `${pipeline} ${resolution}`,
      number,
      formatAge(newestEnd, now),
    ]);
  });
  return formatTable(['cluster', 'federated', 'last push', 'data', 'windows', 'newest ends'], rows);
}

function showPushes({ push }: TemporalView): string {
  const lines = [...push.values()].flatMap(({ cluster, error, summary }) => {
    const refused = summary?.refused.count ?? 0;
    return [
      ...(error === undefined
        ? []
        : [`${cluster}: fails since ${error.since}: ${error.code}: ${error.message}`]),
      ...(refused === 0 ? [] : [`${cluster}: ${count(refused, 'file')} refused, not surely its own data`]),
    ];
  });
  return lines.join('\n');
}

function showPrimaries({ pull }: TemporalView, now: Date): string {
  const rows = [...pull.values()].map(({ cluster, at, summary, error }) => [
    cluster,
    summary?.generation,
    at && formatAge(at, now),
    error === undefined ? pullText(summary) : `${error.code}: ${error.message}`,
  ]);
  return formatTable(['primary', 'generation', 'last pull', 'state'], rows);
}

function pullText(summary: PullState['summary']): string | undefined {
  return summary?.waitingFor === undefined ? summary?.state : `waiting: ${summary.waitingFor.hint}`;
}
