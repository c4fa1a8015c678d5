import type { Command } from 'commander';
import { parseCount } from '../parse-options';

/** Adds the verb `runs` to the command line. */
export function registerRuns(program: Command): void {
  program
    .command('runs')
    .description('list federations and their results, the newest first')
    .option('--failed', 'list only those that failed, died or were cancelled')
    .option('--limit <n>', 'how many to list at most', parseCount, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl runs --failed --limit 5\n')
    .action(async (_: unknown, command: Command) => {
      const { runs } = require('../runs') as typeof import('../runs');
      await runs(command);
    });
}
