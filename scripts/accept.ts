import type { Command } from 'commander';
import { type DecideOptions, decideSources } from './decide-sources';
import { giveName } from './give-name';

/** Accepts sources of a cluster, or gives it a cluster name. */
export async function accept(cluster: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<DecideOptions & { name?: string }>();
  const { name, window, pipeline } = options;
  if (name === undefined) return decideSources(command, 'accept', cluster, options);
  if (window !== undefined || pipeline !== undefined)
    command.error('error: --name is not used with --window or --pipeline', { exitCode: 2 });
  return giveName(command, cluster, { ...options, name });
}
