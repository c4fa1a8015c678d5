import type { Command } from 'commander';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { PrimaryStatus } from '../activities/primary-status';
import { FederationError } from '../errors/federation-error';
import {
  addOwnNameUpdate,
  enterPrimaryUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  skipWaitingUpdate,
} from '../workflows/messages';
import { openContext, type CommandOptions, type Context } from './context';
import { print, printJson } from './output';

type PrimaryOptions = CommandOptions & {
  readonly json?: true;
  readonly cluster?: string;
  readonly add?: string;
  readonly withoutWaiting?: true;
};

/** Adds the verbs of a primary to the program. They are done by the primary's own worker, where its volume is. */
export function registerPrimary(program: Command): void {
  const primary = program
    .command('primary')
    .description('look after a primary cluster: status, enter, leave, names');
  verb(
    primary,
    'status',
    'show whether it pulls, what it waits for, and what it holds',
    async (context, cluster, json) => {
      const status = await handleOf(context, cluster).then((handle) =>
        handle.executeUpdate(primaryStatusUpdate).catch(notThere(cluster)),
      );
      if (json) printJson(status);
      else showStatus(cluster, status);
    },
  );
  verb(
    primary,
    'names',
    "show the names that the cluster's own records carry, or add one",
    async (context, cluster, json, { add }) => {
      if (add !== undefined) {
        await handleOf(context, cluster).then((handle) =>
          handle.executeUpdate(addOwnNameUpdate, { args: [{ name: add }] }).catch(notThere(cluster)),
        );
      }
      const { ownNames } = await handleOf(context, cluster).then((handle) =>
        handle.executeUpdate(primaryStatusUpdate).catch(notThere(cluster)),
      );
      if (json) printJson({ cluster, ownNames });
      else for (const name of ownNames) print(name);
    },
  ).option('--add <name>', 'a name that its records carry besides its id, such as one that it had before');
  verb(
    primary,
    'leave',
    'stop pulling and make the local ETL the cluster’s own again',
    async (context, cluster, json) => {
      const left = await handleOf(context, cluster).then((handle) =>
        handle.executeUpdate(leavePrimaryUpdate).catch(notThere(cluster)),
      );
      if (json) printJson(left);
      else {
        print(
          `${cluster} pulls no more. ${left.fromFolder} windows came back from its folder, ${left.fromBackup} from a backup; ${left.own} were its own already.`,
        );
        if (left.removed.count > 0)
          print(`${left.removed.count} windows that it has nothing of its own for were removed.`);
      }
    },
  );
  verb(
    primary,
    'enter',
    'let a cluster that left pull again',
    async (context, cluster, json, { withoutWaiting }) => {
      const update = withoutWaiting ? skipWaitingUpdate : enterPrimaryUpdate;
      const { entered } = await handleOf(context, cluster).then((handle) =>
        handle.executeUpdate(update).catch(notThere(cluster)),
      );
      if (json) printJson({ cluster, entered });
      else
        print(
          entered
            ? `${cluster} pulls; its local ETL is saved before the first overwrite.`
            : `${cluster} is a primary already.`,
        );
    },
  ).option('--without-waiting', 'pull even though the combined set does not hold its own windows yet');
}

function verb(
  primary: Command,
  name: string,
  description: string,
  act: (context: Context, cluster: string, json: boolean, options: PrimaryOptions) => Promise<void>,
): Command {
  return primary
    .command(name)
    .description(description)
    .option('--cluster <id>', 'another primary than the one of the settings')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  federated-etl primary ${name} --config cluster-5.yaml\n`)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<PrimaryOptions>();
      await using context = openContext(options);
      await act(context, options.cluster ?? context.settings.clusterId, options.json === true, options);
    });
}

async function handleOf(context: Context, cluster: string): Promise<WorkflowHandle> {
  const { client } = await context.temporal();
  return client.workflow.getHandle(context.names.pull(cluster));
}

function notThere(cluster: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new FederationError('CLUSTER_UNKNOWN', {
      subject: { cluster },
      detail: `${cluster} was never started as a primary.`,
      hint: 'Say which one with --cluster; `federated-etl status` lists the primaries.',
      cause: error,
    });
  };
}

function showStatus(cluster: string, status: PrimaryStatus): void {
  const states = {
    entered: 'is a primary, and has pulled nothing yet',
    waiting: 'waits before its first pull',
    pulling: 'pulls what is combined',
    left: 'has left: it pulls no more',
  };
  print(`${cluster} ${states[status.state]}`);
  if (status.waitingFor !== undefined) print(`  ${status.waitingFor}`);
  if (status.lastPull !== undefined)
    print(`  generation ${status.lastPull.generation}, pulled ${status.lastPull.at}`);
  if (status.backup !== undefined) print(`  its own local ETL was saved as backup ${status.backup}`);
  print(`  own names: ${status.ownNames.join(', ') || 'none'}`);
  if (status.refused.count > 0)
    print(`  ${status.refused.count} local files are not pushed, as they are not surely its own:`);
  for (const { path, why } of status.refused.examples) print(`    ${path}: ${why}`);
}
