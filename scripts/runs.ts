import type { Command } from 'commander';
import { withOwnHint } from '../errors/hints';
import { describeChange } from '../federation/change';
import { formatAge, formatBytes, formatSpan } from '../operator/format';
import { readRuns, type RunSummary, summarizeRun } from '../operator/runs';
import { type CommandOptions, openContext } from './context';
import { print, printJson, printNote } from './output';
import { formatTable } from './table';

/** Prints the newest federations. */
export async function runs(command: Command): Promise<void> {
  const options = command.optsWithGlobals<CommandOptions & { failed?: true; limit: number; json?: true }>();
  await using context = openContext(options);
  const found = await readRuns(context, options.limit, options.failed === true);
  const runs = found.runs.map(summarizeRun);
  for (const line of [...found.missing, ...found.damaged]) printNote(line);
  if (options.json) printJson({ runs });
  else show(runs, new Date());
  if (!options.json && options.failed && runs.length > 0) print('', ...whichToReplay);
}

const whichToReplay = [
  '`federated-etl replay --failed` starts those again that failed after the last run that committed.',
  'The others need no replay, because that run merged what they would have merged. This does not hold for',
  'decisions such as `accept`, or for --force and --full: replay these by name if you still want them.',
];

const headings = [
  'run',
  'when',
  'trigger',
  'outcome',
  'generation',
  'merged',
  'quarantined',
  'shrunk',
  'took',
  'list',
  'get',
  'put',
  'read',
  'written',
] as const;

function show(runs: readonly RunSummary[], now: Date): void {
  if (runs.length === 0) return print('No such federations yet.');
  print(
    ...formatTable(
      headings,
      runs.map((run) => row(run, now)),
      {
        optional: [
          'list',
          'get',
          'put',
          'read',
          'written',
          'shrunk',
          'took',
          'trigger',
          'merged',
          'quarantined',
          'generation',
        ],
        states: ['outcome'],
      },
    ),
  );
  for (const { run, replayOf } of runs) if (replayOf !== undefined) print('', `${run}: replays ${replayOf}`);
  for (const { run, change, by = 'unknown', why } of runs) {
    if (change === undefined) continue;
    print('', `${run}: ${describeChange(change)}, as decided by ${by}${why === undefined ? '' : `: ${why}`}`);
  }
  for (const { run, error, warnings = [], nameConflicts = [], unfinished = [] } of runs) {
    if (error !== undefined) print('', `${run}: ${withOwnHint(error)}`);
    for (const conflict of nameConflicts) print('', `${run}: ${conflict}`);
    for (const warning of warnings) print('', `${run}: ${warning}`);
    for (const what of unfinished) print('', `${run}: left to the next run: ${what}`);
  }
  if (runs.some(({ outcome }) => outcome === 'unknown')) {
    print(
      '',
      'unknown: the run is in progress, died, or its report is damaged. Only Temporal could say, and it does not answer.',
    );
  }
}

function row(run: RunSummary, now: Date): (string | number | undefined)[] {
  const { requestedAt, startedAt, endedAt, calls } = run;
  return [
    run.run,
    requestedAt === undefined ? undefined : formatAge(requestedAt, now),
    run.trigger,
    run.outcome,
    run.generation,
    run.windows?.merged,
    run.quarantined,
    run.shrunk,
    startedAt && endedAt && formatSpan(Date.parse(endedAt) - Date.parse(startedAt)),
    calls?.list,
    calls?.get,
    calls && calls.put + calls.create,
    calls && formatBytes(calls.bytesRead),
    calls && formatBytes(calls.bytesWritten),
  ];
}
