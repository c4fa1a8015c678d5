import type { Command } from 'commander';
import type { FederationRequest } from '../federation/run';
import {
  changeMembership,
  describeChange,
  generationThatSays,
  type MembershipAnswer,
  type MembershipChange,
  previewMembership,
} from '../operator/membership';
import { personRequest } from '../operator/person-request';
import type { ClusterMessage } from '../workflows/messages';
import { type CommandOptions, type Context, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson, printNote } from './output';
import { dryRunOption, showPlan } from './show-dry-run';
import { timeoutOption, type WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface ChangeOptions extends CommandOptions, WaitOptions {
  readonly reason?: string;
  readonly federate?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const waiting =
  'wait until a generation says so; starts a federation unless one in progress takes it; exit status 1 if none says so, 3 if the run is partial';

const federating = 'start a federation that takes it, unless one in progress does';

/** Adds the verb `exclude` to the command line. */
export function registerExclude(program: Command): void {
  program
    .command('exclude')
    .argument('<cluster>', 'the id of the cluster')
    .description('take a cluster out of every window; it keeps pushing')
    .option('--reason <text>', 'the reason, shown in status and in the next generations')
    .option('--federate', federating)
    .option('--wait', waiting)
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      "\nExample:\n  federated-etl exclude cluster-3 --reason 'wrong prices since Monday'\n",
    )
    .action(async (cluster: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ChangeOptions>();
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
    .option('--federate', federating)
    .option('--wait', waiting)
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  federated-etl include cluster-3\n')
    .action(async (cluster: string, _: unknown, command: Command) => {
      await change('include', { cluster }, command.optsWithGlobals<ChangeOptions>());
    });
}

async function change(
  kind: MembershipChange,
  message: ClusterMessage,
  options: ChangeOptions,
): Promise<void> {
  await using context = openContext(options);
  const request = requestOf(kind, message);
  if (options.dryRun) return showPlan(await previewMembership(context, kind, message, request), options);
  const answer = await changeMembership(context, kind, message);
  const shown = await commitNow(context, kind, message, answer, options);
  if (options.json) printJson(shown);
  else print(describeChange(kind, shown));
  const isCommitted = shown.generation !== undefined || shown.unchanged !== undefined;
  if (shown.stillExcluded || (options.wait && !isCommitted)) process.exitCode = 1;
}

/**
 * Starts or awaits the run that commits the change. Does nothing if the options do not ask for it, or if the change
 * needs no run. Returns `answer` with the id of the run and, after waiting, with the generation that contains the
 * change.
 */
async function commitNow(
  context: Context,
  kind: MembershipChange,
  message: ClusterMessage,
  answer: MembershipAnswer,
  options: ChangeOptions,
): Promise<MembershipAnswer> {
  if (answer.generation !== undefined || answer.unchanged !== undefined) return answer;
  if (!options.wait && (!options.federate || answer.run !== undefined)) return answer;
  // Print this before the federation starts, because the roster keeps the change even if the federation fails.
  if (options.wait) printNote(describeChange(kind, answer));
  const run = answer.run ?? (await startRun(context, requestOf(kind, message)));
  if (!options.wait) {
    printNote(`${run} has started. Follow it in the Temporal UI, or with \`federated-etl runs\`.`);
    return { ...answer, run };
  }
  printNote(...describeFederation(await followRun(context, run, options), process.stderr));
  const generation = await generationThatSays(context, kind, message.cluster);
  return { ...answer, run, ...(generation !== undefined && { generation }) };
}

function requestOf(kind: MembershipChange, { cluster, reason }: ClusterMessage): FederationRequest {
  return personRequest(whoAmI(), { why: `${kind} ${cluster}${reason === undefined ? '' : `: ${reason}`}` });
}
