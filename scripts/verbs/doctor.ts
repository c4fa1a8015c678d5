import type { Command } from 'commander';

/** Adds the verb `doctor` to the command line. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check settings, local ETL, bucket and Temporal from here, and say how to fix what fails')
    .option('--strict', 'treat unknown settings of the store as failures')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  federated-etl doctor --config cluster-4.yaml\n\nExit status 1: a check failed.\n',
    )
    .action(async (_: unknown, command: Command) => {
      const { doctor } = require('../doctor') as typeof import('../doctor');
      await doctor(command);
    });
}
