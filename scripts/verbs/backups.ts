import type { Command } from 'commander';
import { clusterOption } from './shared-options';

/** Adds the verb `backups` to the command line. */
export function registerBackups(program: Command): void {
  program
    .command('backups')
    .description("list the backups of a cluster's local ETL, made before it was first overwritten")
    .option(...clusterOption)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl backups --config cluster-5.yaml\n')
    .action(async (_: unknown, command: Command) => {
      const { backups } = require('../backups') as typeof import('../backups');
      await backups(command);
    });
}
