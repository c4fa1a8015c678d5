import type { Command } from 'commander';
import { withDecideOptions } from './shared-options';

/** Adds the verb `accept` to the command line. */
export function registerAccept(program: Command): void {
  withDecideOptions(program.command('accept'))
    .description(
      'merge quarantined sources of a cluster as they are now, confirm shrunk ones, or give it a cluster name; asks first',
    )
    .option('--name <name>', 'instead, give the cluster this cluster name, which another cluster owns')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl accept cluster-2 --window 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z --reason 'it ran nothing that day'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const { accept } = require('../accept') as typeof import('../accept');
      await accept(cluster, command);
    });
}
