import type { Command } from 'commander';
import { clusterOption, dryRunOption } from './shared-options';

/** Adds the verbs `primary status`, `primary enter`, `primary leave` and `primary names` to the command line. */
export function registerPrimary(program: Command): void {
  const verbs = program
    .command('primary')
    .description('look after a primary cluster: status, enter, leave, names');
  verb(verbs, 'status', 'show its state, and the generation and backup that it has');
  verb(verbs, 'names', "list the names that the cluster's own records carry, or add one").option(
    '--add <name>',
    'a name that its records carry besides its id, such as a former id',
  );
  verb(verbs, 'leave', "stop pulling and make the local ETL the cluster's own again").option(...dryRunOption);
  verb(verbs, 'enter', 'let a cluster that left pull again')
    .option('--without-waiting', "pull even if no generation has the cluster's own windows yet")
    .option(
      '--accept-federation <id>',
      'take this federation even if it does not continue what was pulled before',
    );
}

function verb(verbs: Command, name: 'status' | 'names' | 'leave' | 'enter', description: string): Command {
  return verbs
    .command(name)
    .description(description)
    .option(...clusterOption)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  federated-etl primary ${name} --config cluster-5.yaml\n`)
    .action(async (_: unknown, command: Command) => {
      const { primaryVerb } = require('../primary') as typeof import('../primary');
      await primaryVerb(name, command);
    });
}
