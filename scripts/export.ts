import { type Command, InvalidArgumentError, Option } from 'commander';
import { startReadThreads } from '../activities/threads/read-threads';
import { parseResolution, type Pipeline, pipelines } from '../etl/window';
import { count } from '../federation/count';
import { type ExportResult, exportWindows } from '../operator/export/export-windows';
import { localStore, newestGeneration } from '../operator/export/source';
import { exportFolder, exportInBucket } from '../operator/export/target';
import { formatBytes, formatSpan } from '../operator/format';
import { type ExportFormat, exportFormats } from '../query/export';
import { Releasers } from '../workers/releasers';
import { type CommandOptions, openContext } from './context';
import { print, printJson, printNote } from './output';
import { parseSpan } from './parse-options';
import { showProgress } from './progress';
import { stopOnSignals } from './stop-on-signals';

interface ExportOptions extends CommandOptions {
  readonly format: ExportFormat;
  readonly out: string;
  readonly etl?: string;
  readonly window?: { start: number; end: number };
  readonly resolution?: string;
  readonly pipeline?: Pipeline;
  readonly prune?: true;
  readonly json?: true;
}

/** Adds the verb `export` to the command line. */
export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write the combined data as Parquet or CSV, one file per window, for other query engines')
    .requiredOption(
      '--out <dir>',
      'the folder to write to, or the word `bucket` for the place of exports there',
    )
    .addOption(
      new Option('--format <format>', 'the format of the files').choices(exportFormats).default('parquet'),
    )
    .option('--etl <dir>', 'export a local ETL store instead of the newest generation; needs no settings')
    .option(
      '--window <start,end>',
      'only windows that overlap this span, in unix seconds or RFC 3339',
      parseSpan,
    )
    .option('--resolution <resolution>', 'only windows of this length, such as 1d or 1h', parseResolutionName)
    .addOption(new Option('--pipeline <pipeline>', 'only this pipeline').choices(pipelines))
    .option('--prune', 'remove the files of selected windows that no longer exist')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl export --out ./costs --resolution 1d\n' +
        '  federated-etl export --out bucket --prune\n' +
        '  federated-etl export --etl /var/configs/db/etl --out ./costs --format csv --window 2026-11-01T00:00:00Z,2026-12-01T00:00:00Z\n' +
        '\nExit status 1: a window, or the newest generation, could not be read; what can be read is written.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExportOptions>();
      if (options.out === toBucket && options.etl !== undefined) {
        command.error('error: --out bucket is for combined data, so it cannot be used with --etl', {
          exitCode: 2,
        });
      }
      const result = await runUntilStopped(options);
      if (result === undefined) {
        printNote('Stopped. Every file that was written is complete; the next export continues from there.');
      } else show(result, options);
      if (result === undefined || result.refused.length + result.damaged.length > 0) process.exitCode = 1;
    });
}

/**
 * Value of `--out` that means the federation's bucket. To export to a folder named `bucket`, users write `./bucket`.
 */
const toBucket = 'bucket';

function parseResolutionName(text: string): string {
  const resolution = parseResolution(text);
  if (resolution === undefined)
    throw new InvalidArgumentError('A length of time is expected, such as 1d or 1h.');
  return resolution.name;
}

/** Runs the export. Returns undefined if a signal has stopped it. */
async function runUntilStopped(options: ExportOptions): Promise<ExportResult | undefined> {
  const { out, etl, prune } = options;
  await using releasers = new Releasers();
  await using context = etl === undefined ? openContext(options) : undefined;
  using signal = stopOnSignals({
    info: (_: unknown, text?: string) => printNote(text ?? ''),
  });
  const threads = startReadThreads();
  releasers.defer(() => threads.close());
  using progress = showProgress('export');
  try {
    return await exportWindows({
      ...options,
      prune: prune === true,
      source: async () =>
        context === undefined
          ? localStore(etl ?? '', threads, signal)
          : newestGeneration(await context.bucket(), threads, signal),
      target: () =>
        context !== undefined && out === toBucket
          ? exportInBucket(context.settings.storage, context.log)
          : exportFolder(out),
      signal,
      progress: progress.update,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

function show(result: ExportResult, { etl, json }: ExportOptions): void {
  const { out, generation, written, unchanged, removed, rows, bytes, refused, damaged, seconds } = result;
  for (const line of damaged) printNote(line);
  for (const { window, code, detail } of refused) printNote(`${window}: ${code}: ${detail}`);
  if (json) return printJson(result);
  const from = generation === undefined ? etl : `generation ${generation}`;
  print(
    `${out}: ${count(written, 'window')} of ${from} written (${count(rows, 'row')}, ${formatBytes(bytes)}), ` +
      `${unchanged} unchanged, ${removed} removed, in ${formatSpan(seconds * 1000)}`,
  );
}
