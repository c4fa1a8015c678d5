import type { Command } from 'commander';
import type { DecideOptions } from '../decide-sources';
import { withDecideOptions } from './shared-options';

/** Adds the verbs `quarantine` and `quarantine drop` to the command line. */
export function registerQuarantine(program: Command): void {
  const verb = program
    .command('quarantine')
    .description('list the quarantined sources of the newest generation, and what is odd about the folders')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl quarantine\n')
    .action(async (_: unknown, command: Command) => {
      const { quarantine } = require('../quarantine') as typeof import('../quarantine');
      await quarantine(command);
    });
  withDecideOptions(verb.command('drop'))
    .description('never merge quarantined sources of a cluster as they are now; asks first')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl quarantine drop cluster-2 --pipeline assets --reason 'the volume is lost'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const { decideSources } = require('../decide-sources') as typeof import('../decide-sources');
      await decideSources(command, 'drop', cluster, command.optsWithGlobals<DecideOptions>());
    });
}
