import type { Command } from 'commander';
import pMap from 'p-map';
import {
  reportSchema,
  requestSchema,
  type FederationReport,
  type FederationRequest,
} from '../federation/run';
import type { BucketReader } from '../storage/bucket';
import { parseRunKey, runReportKey, runRequestKey, runsPrefix } from '../storage/layout';
import { readJson } from '../storage/read-all';
import { openContext, type CommandOptions, type Context } from './context';
import { formatAge, formatSpan, formatTable, print, printJson } from './output';
import { parseCount } from './parse-count';

/** A federation as the bucket and Temporal tell of it. `died`: it ended without a word; `unknown`: that, or it runs. */
export interface Run {
  readonly run: string;
  readonly outcome: FederationReport['outcome'] | 'running' | 'died' | 'unknown';
  readonly request?: FederationRequest;
  readonly report?: FederationReport;
}

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

/** The newest runs, the newest first; with `failed` those that failed or have no report. */
export async function readRuns(bucket: BucketReader, limit: number, failed = false): Promise<Run[]> {
  const names: string[] = [];
  for await (const entry of bucket.list(runsPrefix, { delimiter: '/' })) {
    const parsed = entry.kind === 'prefix' ? parseRunKey(entry.prefix) : undefined;
    if (parsed !== undefined) names.push(parsed.run);
  }
  // Their names hold when they were asked for, so the newest are the last ones: only those are read.
  names.reverse();
  const runs: Run[] = [];
  for (let at = 0; at < names.length && runs.length < limit; at += limit) {
    const batch = await pMap(names.slice(at, at + limit), (run) => readRun(bucket, run), { concurrency: 16 });
    runs.push(...batch.filter(({ outcome }) => !failed || outcome === 'failed' || outcome === 'unknown'));
  }
  return runs.slice(0, limit);
}

async function readRun(bucket: BucketReader, run: string): Promise<Run> {
  const [request, report] = await Promise.all([
    readJson(bucket, runRequestKey(run), requestSchema),
    readJson(bucket, runReportKey(run), reportSchema),
  ]);
  return { run, outcome: report?.outcome ?? 'unknown', request, report };
}

/** Temporal knows what became of a run that left no report. Without Temporal it stays unknown. */
async function askTemporal(context: Context, runs: readonly Run[]): Promise<Run[]> {
  if (!runs.some(({ outcome }) => outcome === 'unknown')) return [...runs];
  const temporal = await context.temporal({ timeoutMs: 2_000 }).catch(() => undefined);
  if (temporal === undefined) return [...runs];
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  return pMap(runs, async (run) => {
    if (run.outcome !== 'unknown') return run;
    try {
      const { status } = await temporal.client.workflow.getHandle(run.run).describe();
      return { ...run, outcome: status.name === 'RUNNING' ? 'running' : 'died' };
    } catch (error) {
      return error instanceof WorkflowNotFoundError ? { ...run, outcome: 'died' } : run;
    }
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
    problems: report?.problems,
    unfinished: report?.unfinished,
    warnings: report?.warnings,
    error: report?.error,
  };
}

function show(runs: readonly Run[], now: Date): void {
  if (runs.length === 0) return print('No federation of this kind is known yet.');
  const rows = runs.map(({ run, outcome, request, report }) => [
    run,
    request === undefined ? undefined : formatAge(request.at, now),
    request?.trigger,
    outcome,
    report?.generation,
    report?.windows.merged,
    report?.problems,
    report === undefined ? undefined : formatSpan(Date.parse(report.endedAt) - Date.parse(report.startedAt)),
  ]);
  print(formatTable(['run', 'when', 'trigger', 'outcome', 'generation', 'merged', 'problems', 'took'], rows));
  for (const { run, report } of runs) {
    if (report?.error !== undefined) print(`\n${run}: ${report.error.code}: ${report.error.message}`);
    for (const warning of report?.warnings ?? []) print(`\n${run}: ${warning}`);
    for (const what of report?.unfinished ?? []) print(`\n${run}: left to the next run: ${what}`);
  }
  if (runs.some(({ outcome }) => outcome === 'unknown')) {
    print('\nunknown: it left no report, so it runs or died; Temporal, which knows, does not answer.');
  }
}
