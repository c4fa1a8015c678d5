import type { Command } from 'commander';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { LeaveSummary } from '../activities/leave-primary';
import type { PrimaryStatus } from '../activities/primary-status';
import { isErrorCode } from '../errors/catalog';
import { FederationError } from '../errors/federation-error';
import { failureOf } from '../workflows/attempts';
import {
  addOwnNameUpdate,
  enterPrimaryUpdate,
  leavePrimaryUpdate,
  primaryStatusUpdate,
  skipWaitingUpdate,
} from '../workflows/messages';
import { openContext, type CommandOptions } from './context';
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
  verb(primary, 'status', 'show whether it pulls, what it waits for, and what it holds', async (worker) => {
    const status = await worker.ask(primaryStatusUpdate);
    return { json: status, show: () => showStatus(worker.cluster, status) };
  });
  verb(
    primary,
    'names',
    "show the names that the cluster's own records carry, or add one",
    async (worker, { add }) => {
      if (add !== undefined) await worker.ask(addOwnNameUpdate, { name: add });
      const { ownNames } = await worker.ask(primaryStatusUpdate);
      return {
        json: { cluster: worker.cluster, ownNames },
        show: () => ownNames.forEach((name) => print(name)),
      };
    },
  ).option('--add <name>', 'a name that its records carry besides its id, such as one that it had before');
  verb(primary, 'leave', "stop pulling and make the local ETL the cluster's own again", async (worker) => {
    const left = await worker.ask(leavePrimaryUpdate);
    return { json: left, show: () => showLeft(worker.cluster, left) };
  });
  verb(primary, 'enter', 'let a cluster that left pull again', async (worker, { withoutWaiting }) => {
    const { entered } = await worker.ask(withoutWaiting ? skipWaitingUpdate : enterPrimaryUpdate);
    const now = entered
      ? 'pulls; its local ETL is saved before the first overwrite.'
      : 'is a primary already.';
    return { json: { cluster: worker.cluster, entered }, show: () => print(`${worker.cluster} ${now}`) };
  }).option('--without-waiting', 'pull even though the combined set does not hold its own windows yet');
}

/** The worker of a primary, asked through its pull workflow. */
interface PrimaryWorker {
  readonly cluster: string;
  ask<Answer, Args extends [unknown?]>(
    update: UpdateDefinition<Answer, Args>,
    ...args: Args
  ): Promise<Answer>;
}

interface Answer {
  readonly json: unknown;
  readonly show: () => void;
}

function verb(
  primary: Command,
  name: string,
  description: string,
  act: (worker: PrimaryWorker, options: PrimaryOptions) => Promise<Answer>,
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
      const cluster = options.cluster ?? context.settings.clusterId;
      const { client } = await context.temporal();
      const handle = client.workflow.getHandle(context.names.pull(cluster));
      const { json, show } = await act(
        {
          cluster,
          ask: (update, ...args) =>
            handle
              .executeUpdate<never, [unknown]>(update.name, { args: [args[0] ?? {}] })
              .catch((error: unknown) => explain(error, cluster)),
        },
        options,
      );
      if (options.json) printJson(json);
      else show();
    });
}

/** What a primary's worker failed of, in its own words. */
function explain(error: unknown, cluster: string): never {
  if (error instanceof WorkflowNotFoundError) {
    throw new FederationError('CLUSTER_UNKNOWN', {
      subject: { cluster },
      detail: `${cluster} was never started as a primary.`,
      hint: 'Say which one with --cluster; `federated-etl status` lists the primaries.',
      cause: error,
    });
  }
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  const { code, message } = failureOf(error);
  throw new FederationError(isErrorCode(code) ? code : 'INTERNAL', {
    subject: { cluster },
    detail: message,
    cause: error,
  });
}

function showLeft(cluster: string, { fromFolder, fromBackup, own, removed }: LeaveSummary): void {
  print(`${cluster} pulls no more.`);
  print(
    `${fromFolder} windows came back from its folder, ${fromBackup} from a backup; ${own} were its own already.`,
  );
  if (removed.count > 0) print(`${removed.count} windows that it has nothing of its own for were removed.`);
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
