import type { Command } from 'commander';
import { type DecideOptions, decideSources, withDecideOptions } from './decide-sources';
import { giveName } from './give-name';

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
      const options = command.optsWithGlobals<DecideOptions & { name?: string }>();
      const { name, window, pipeline } = options;
      if (name === undefined) return decideSources(command, 'accept', cluster, options);
      if (window !== undefined || pipeline !== undefined)
        command.error('error: --name is not used with --window or --pipeline', { exitCode: 2 });
      return giveName(command, cluster, { ...options, name });
    });
}
