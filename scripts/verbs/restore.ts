import type { Command } from 'commander';
import { clusterOption, dryRunOption } from './shared-options';

/** Adds the verb `restore` to the command line. */
export function registerRestore(program: Command): void {
  program
    .command('restore')
    .argument('<backup>', 'the name of the backup, as `federated-etl backups` lists it')
    .description('restore the local ETL from a backup; run it where the volume is mounted')
    .option(...clusterOption)
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl primary leave\n  federated-etl restore 2026-11-20T00-00-00-000Z\n\nExit status 1: files were not restored.\n',
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const { restore } = require('../restore') as typeof import('../restore');
      await restore(name, command);
    });
}
