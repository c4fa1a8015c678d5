import type { Command } from 'commander';
import { pipelineOption } from './shared-options';

/** Adds the verb `inspect` to the command line. */
export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('show the content of an ETL file')
    .argument('<file>', 'the ETL file, plain or gzipped: a local one, or a key of the bucket')
    .option('--json', 'print every field as JSON')
    .addOption(pipelineOption())
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl inspect /var/configs/db/etl/bingen/assets/1d/1794614400-1794700800\n' +
        '  federated-etl inspect federated/cluster-1/etl/bingen/assets/1d/1794614400-1794700800 --json\n',
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { inspect } = require('../inspect') as typeof import('../inspect');
      await inspect(file, command);
    });
}
