import type { Command } from 'commander';

/** Adds the verb `status` to the command line. */
export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('show the whole pipeline: pushes, the last federation, the newest generation, primaries')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl status --config cluster-4.yaml\n')
    .action(async (_: unknown, command: Command) => {
      const { status } = require('../status') as typeof import('../status');
      await status(command);
    });
}
