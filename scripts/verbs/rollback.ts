import type { Command } from 'commander';
import { parseCount } from '../parse-options';
import { dryRunOption, timeoutOption } from './shared-options';

/** Adds the verb `rollback` to the command line. */
export function registerRollback(program: Command): void {
  program
    .command('rollback')
    .argument('<generation>', 'the number of the generation, as in `generations`', parseCount)
    .description('make the windows of an earlier generation current again, and hold the federation')
    .option('--reason <text>', 'the reason, shown in status while the hold stands')
    .option('--yes', 'do not ask')
    .option(
      '--wait',
      'show its progress and wait for it to end; exit status 1 if it fails, 3 if it is partial',
    )
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText('after', "\nExample:\n  federated-etl rollback 41 --reason 'prices of cluster-3' --wait\n")
    .action(async (to: number, _: unknown, command: Command) => {
      const { rollback } = require('../rollback') as typeof import('../rollback');
      await rollback(to, command);
    });
}
