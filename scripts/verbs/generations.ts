import type { Command } from 'commander';
import { parseCount } from '../parse-options';

/** Adds the verb `generations` to the command line. */
export function registerGenerations(program: Command): void {
  program
    .command('generations')
    .description('list the commits of the combined set, the newest first')
    .option('--limit <n>', 'how many to list at most', parseCount, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl generations --limit 3\n')
    .action(async (_: unknown, command: Command) => {
      const { generations } = require('../generations') as typeof import('../generations');
      await generations(command);
    });
}
