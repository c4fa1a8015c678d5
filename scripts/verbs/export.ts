import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseResolution, pipelines } from '../../etl/window';
import { exportFormats } from '../../query/export-formats';
import { parseSpan } from '../parse-options';

function parseResolutionName(text: string): string {
  const resolution = parseResolution(text);
  if (resolution === undefined)
    throw new InvalidArgumentError('A length of time is expected, such as 1d or 1h.');
  return resolution.name;
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
      const { exportData } = require('../export') as typeof import('../export');
      await exportData(command);
    });
}
