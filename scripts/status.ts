import type { Command } from 'commander';
import { describePostponed } from '../activities/pull-summary';
import { withHint, withOwnHint } from '../errors/hints';
import { count, counts } from '../federation/count';
import { describeHold } from '../federation/hold';
import { formatAge, formatSpan } from '../operator/format';
import { describePause } from '../operator/read-schedule';
import { type ClusterStatus, readStatus, type Status } from '../operator/status';
import { shortList } from '../query/notes';
import type { PullState } from '../workflows/messages';
import { paint, paintState } from './colour';
import { type CommandOptions, openContext } from './context';
import { describeWaiting } from './describe-waiting';
import { print, printJson } from './output';
import { showPushes } from './show-pushes';
import { formatTable } from './table';

/** Prints the state of the whole pipeline. */
export async function status(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { json?: true }>();
  await using context = openContext(options);
  const status = await readStatus(context);
  if (options.json) printJson(status);
  else show(status, new Date());
}

function show(status: Status, now: Date): void {
  const { generation, lastRun } = status;
  print(`bucket      ${status.bucket}`);
  if (generation === undefined)
    print(`generation  ${status.damaged.length === 0 ? 'none' : 'none can be read'}`);
  else {
    const { clusters, windows, quarantined, shrunk, notices } = generation;
    const toSee = counts({ 'quarantined source': quarantined, 'shrunk source': shrunk, notice: notices });
    const suffix = toSee === '' ? '' : `, ${toSee} (see \`federated-etl quarantine\`)`;
    print(
      `generation  ${generation.generation}, ${formatAge(generation.committedAt, now)}: ${count(clusters, 'cluster')}, ${count(windows, 'window')}${suffix}`,
    );
  }
  if (generation?.hold !== undefined) print(`            ${describeHold(generation.hold)}`);
  if (lastRun === undefined) print('last run    none yet');
  else {
    const at = lastRun.endedAt ?? lastRun.requestedAt;
    print(
      `last run    ${lastRun.run}: ${lastRun.outcome === 'unknown' ? 'no report yet' : paintState(lastRun.outcome)}${at ? `, ${formatAge(at, now)}` : ''}`,
    );
  }
  if (status.schedule !== undefined) print(`schedule    ${paintState(showSchedule(status.schedule, now))}`);
  section('Damaged', status.damaged);
  section('Clusters', showClusters(status.clusters, now));
  section('Versions', showVersions(status.clusters));
  section('Pushes that need a look', showPushes(status.clusters));
  section(
    'Cluster names',
    status.nameConflicts.flatMap(({ detail, todo }) => [detail, `  ${todo}`]),
  );
  section('Primaries', showPrimaries(status, now));
  section('Not shown', status.missing);
  section(
    'To do',
    status.toDo.map((step) => `- ${step}`),
  );
}

function showSchedule(schedule: NonNullable<Status['schedule']>, now: Date): string {
  if (schedule === 'absent') return 'missing';
  const { everyMs, nextRun, paused } = schedule;
  const every = everyMs === undefined ? [] : [`every ${formatSpan(everyMs)}`];
  if (paused !== undefined) return [describePause(paused), ...every].join(', ');
  const left = nextRun === undefined ? undefined : Date.parse(nextRun) - now.getTime();
  const next =
    left === undefined ? 'no run is due' : left < 1_000 ? 'next run now' : `next run in ${formatSpan(left)}`;
  return [next, ...every].join(', ');
}

function section(title: string, lines: readonly string[]): void {
  if (lines.length > 0) print('', paint('heading', title), ...lines);
}

/**
 * Returns a table with one line per cluster, pipeline and resolution. The columns about the cluster itself are filled
 * only in the first line of each cluster.
 */
function showClusters(clusters: readonly ClusterStatus[], now: Date): string[] {
  const rows = clusters.flatMap(({ cluster, membership, reason, lastPush, silence, windows }) => {
    // The reason for a removal already says that the cluster is removed.
    const state = membership === 'removed' ? reason : reason && `${membership} (${reason})`;
    const late = silence.state === 'late' || silence.state === 'gone' ? ` (${silence.state})` : '';
    const about = [cluster, state ?? membership, lastPush && formatAge(lastPush, now) + late];
    if (windows.length === 0) return [[...about.slice(0, 2), 'never', '', 0, '']];
    return windows.map(({ pipeline, resolution, count: number, newestEnd, missing }, index) => [
      ...(index === 0 ? about : ['', '', '']),
      `${pipeline} ${resolution}`,
      missing === 0 ? number : `${number} (${missing} missing)`,
      formatAge(newestEnd, now),
    ]);
  });
  return formatTable(['cluster', 'federated', 'last push', 'data', 'windows', 'newest ends'], rows, {
    optional: ['newest ends'],
    states: ['federated', 'last push', 'windows'],
  });
}

/** Returns a table with one line for each combination of versions, and the clusters that have it. */
function showVersions(clusters: readonly ClusterStatus[]): string[] {
  const known = clusters.flatMap(({ cluster, inventory }) => {
    if (inventory === undefined) return [];
    const { program = 'unknown', agent, codecs } = inventory;
    const written = Object.entries(codecs).map(([pipeline, codec]) => `${pipeline} ${codec}`);
    const flavor = agent === undefined ? 'unknown' : (/^github\.com\/([\w-]+)\//.exec(agent)?.[1] ?? agent);
    return [{ cluster, versions: [program, flavor, written.join(', ') || 'unknown'] }];
  });
  const rows = [...Map.groupBy(known, ({ versions }) => versions.join('\n')).values()].map((group) => [
    ...(group[0]?.versions ?? []),
    shortList(group.map(({ cluster }) => cluster)),
  ]);
  return formatTable(['program', 'agent', 'codecs', 'clusters'], rows);
}

function showPrimaries({ primaries, schedule }: Status, now: Date): string[] {
  const rows = primaries.map(({ cluster, at, summary, error, export: exported }) => [
    cluster,
    summary?.generation,
    at && formatAge(at, now),
    [
      error === undefined ? pullText(summary, schedule, now) : withOwnHint(error),
      exported?.error && `the export fails: ${withOwnHint(exported.error)}`,
    ]
      .filter((part) => part !== undefined)
      .join('; '),
  ]);
  return formatTable(['primary', 'generation', 'last pull', 'state'], rows, { states: ['state'] });
}

function pullText(
  summary: PullState['summary'],
  schedule: Status['schedule'],
  now: Date,
): string | undefined {
  const { state, waitingFor, waitingSince, refused } = summary ?? {};
  if (refused !== undefined) return `refused: ${withHint({ ...refused, message: refused.detail })}`;
  if (waitingFor !== undefined)
    return `waiting${describeWaiting(waitingSince, schedule, now)}: ${waitingFor.hint}`;
  const postponed = summary && describePostponed(summary.postponed);
  return postponed ? `${state}; ${postponed}` : state;
}
