import type { Command } from 'commander';
import { dryRunOption, timeoutOption } from './shared-options';

/** Adds the verbs `cluster remove` and `cluster restore` to the command line. */
export function registerCluster(program: Command): void {
  const verbs = program.command('cluster').description('remove a cluster for good, or restore it');
  verb(verbs, 'remove', 'take a cluster out of the federation for good; asks first')
    .option('--yes', 'do not ask')
    .option('--delete-files', "then delete the cluster's files in the bucket; needs --store")
    .option('--store <file>', 'a federated-store.yaml with credentials that may delete these files');
  verb(verbs, 'restore', 'bring a removed cluster back, with the history that generations still have');
}

function verb(verbs: Command, kind: 'remove' | 'restore', description: string): Command {
  return verbs
    .command(kind)
    .argument('<cluster>', 'the id of the cluster')
    .description(description)
    .option('--reason <text>', 'the reason, recorded with the decision')
    .option('--wait', 'wait until it is committed; exit status 1 if it is not, 3 if the run is partial')
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  federated-etl cluster ${kind} cluster-3 --wait\n`)
    .action(async (id: string, _: unknown, command: Command) => {
      const { changeCluster } = require('../cluster') as typeof import('../cluster');
      await changeCluster(kind, id, command);
    });
}
