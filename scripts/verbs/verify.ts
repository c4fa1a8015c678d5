import type { Command } from 'commander';

/** Adds the verb `verify` to the command line. */
export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check every document, published window and merged object against the newest generation')
    .option('--deep', 'also merge the sources again, where they are unchanged, and compare')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl verify --deep\n\nExit status 1: a problem was found.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const { verify } = require('../verify') as typeof import('../verify');
      await verify(command);
    });
}
