import type { Command } from 'commander';
import { askTemporal, readRuns, type Run } from '../operator/runs';
import { openContext, type CommandOptions } from './context';
import { formatAge, formatSpan } from '../operator/format';
import { formatTable, print, printJson } from './output';
import { parseCount } from './parse-options';

/** Adds the verb `runs` to the program. */
export function registerRuns(program: Command): void {
  program
    .command('runs')
    .description('list federations and how they ended, the newest first')
    .option('--failed', 'only those that failed or died')
    .option('--limit <n>', 'at most so many', parseCount, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl runs --failed --limit 5\n')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<
        CommandOptions & { failed?: true; limit: number; json?: true }
      >();
      await using context = openContext(options);
      const listed = await readRuns(await context.bucket(), options.limit, options.failed === true);
      const runs = (await askTemporal(context, listed)).filter(
        ({ outcome }) => !options.failed || outcome !== 'running',
      );
      if (options.json) printJson({ runs: runs.map(describe) });
      else show(runs, new Date());
    });
}

function describe({ run, outcome, request, report }: Run): object {
  return {
    run,
    outcome,
    trigger: request?.trigger,
    why: request?.why,
    replayOf: request?.replayOf,
    requestedAt: request?.at,
    startedAt: report?.startedAt,
    endedAt: report?.endedAt,
    generation: report?.generation,
    windows: report?.windows,
    quarantined: report?.quarantined,
    calls: report?.calls,
    unfinished: report?.unfinished,
    warnings: report?.warnings,
    error: report?.error,
  };
}

const headings = [
  'run',
  'when',
  'trigger',
  'outcome',
  'generation',
  'merged',
  'quarantined',
  'took',
  'list',
  'get',
  'put',
] as const;

function show(runs: readonly Run[], now: Date): void {
  if (runs.length === 0) return print('No federation of this kind is known yet.');
  const rows = runs.map(({ run, outcome, request, report }) => [
    run,
    request === undefined ? undefined : formatAge(request.at, now),
    request?.trigger,
    outcome,
    report?.generation,
    report?.windows.merged,
    report?.quarantined,
    report === undefined ? undefined : formatSpan(Date.parse(report.endedAt) - Date.parse(report.startedAt)),
    report?.calls.list,
    report?.calls.get,
    report && report.calls.put + report.calls.create,
  ]);
  print(formatTable(headings, rows));
  for (const { run, report } of runs) {
    if (report?.error !== undefined) print(`\n${run}: ${report.error.code}: ${report.error.message}`);
    for (const warning of report?.warnings ?? []) print(`\n${run}: ${warning}`);
    for (const what of report?.unfinished ?? []) print(`\n${run}: left to the next run: ${what}`);
  }
  if (runs.some(({ outcome }) => outcome === 'unknown')) {
    print('\nunknown: it left no report, so it runs or died; Temporal, which knows, does not answer.');
  }
}
