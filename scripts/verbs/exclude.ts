import type { Command } from 'commander';
import { dryRunOption, timeoutOption } from './shared-options';

const waiting =
  'wait until a generation says so; starts a federation unless one in progress takes it; exit status 1 if none says so, 3 if the run is partial';

const federating = 'start a federation that takes it, unless one in progress does';

/** Adds the verb `exclude` to the command line. */
export function registerExclude(program: Command): void {
  program
    .command('exclude')
    .argument('<cluster>', 'the id of the cluster')
    .description('take a cluster out of every window; it keeps pushing')
    .option('--reason <text>', 'the reason, shown in status and in the next generations')
    .option('--federate', federating)
    .option('--wait', waiting)
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl exclude cluster-3 --reason 'wrong prices since Monday'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const { exclude } = require('../exclude') as typeof import('../exclude');
      await exclude(cluster, command);
    });
}

/** Adds the verb `include` to the command line. */
export function registerInclude(program: Command): void {
  program
    .command('include')
    .argument('<cluster>', 'the id of the cluster')
    .description('bring an excluded cluster back, with its history')
    .option('--federate', federating)
    .option('--wait', waiting)
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl include cluster-3\n')
    .action(async (cluster: string, _: unknown, command: Command) => {
      const { include } = require('../exclude') as typeof import('../exclude');
      await include(cluster, command);
    });
}
