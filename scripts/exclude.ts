import type { Command } from 'commander';
import { changeMembership, describeChange, type MembershipChange } from '../operator/membership';
import type { ClusterMessage } from '../workflows/messages';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';

/** Adds the verb `exclude` to the command line. */
export function registerExclude(program: Command): void {
  program
    .command('exclude')
    .argument('<cluster>', 'the id of the cluster')
    .description('take a cluster out of every window; it keeps pushing')
    .option('--reason <text>', 'the reason, shown in status and in the next generations')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl exclude cluster-3 --reason 'wrong prices since Monday'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommandOptions & { reason?: string; json?: true }>();
      await change(
        'exclude',
        { cluster, ...(options.reason === undefined ? {} : { reason: options.reason }) },
        options,
      );
    });
}

/** Adds the verb `include` to the command line. */
export function registerInclude(program: Command): void {
  program
    .command('include')
    .argument('<cluster>', 'the id of the cluster')
    .description('bring an excluded cluster back, with its history')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl include cluster-3\n')
    .action(async (cluster: string, _: unknown, command: Command) => {
      await change('include', { cluster }, command.optsWithGlobals<CommandOptions & { json?: true }>());
    });
}

async function change(
  kind: MembershipChange,
  message: ClusterMessage,
  options: CommandOptions & { json?: true },
): Promise<void> {
  await using context = openContext(options);
  const answer = await changeMembership(context, kind, message);
  if (options.json) printJson(answer);
  else print(describeChange(kind, answer));
}
