import type { Command } from 'commander';
import { type DecideOptions, decideSources, withDecideOptions } from './decide-sources';

/** Adds the verb `accept` to the command line. */
export function registerAccept(program: Command): void {
  withDecideOptions(program.command('accept'))
    .description('merge quarantined sources of a cluster as they are now; asks first')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl accept cluster-2 --window 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z --reason 'it ran nothing that day'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      await decideSources(command, 'accept', cluster, command.optsWithGlobals<DecideOptions>());
    });
}
