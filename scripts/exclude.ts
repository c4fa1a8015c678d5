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
import { showPlan } from './show-dry-run';
import type { WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface ChangeOptions extends CommandOptions, WaitOptions {
  readonly reason?: string;
  readonly federate?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** Excludes a cluster. */
export async function exclude(cluster: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<ChangeOptions>();
  await change(
    'exclude',
    { cluster, ...(options.reason === undefined ? {} : { reason: options.reason }) },
    options,
  );
}

/** Includes an excluded cluster again. */
export async function include(cluster: string, command: Command): Promise<void> {
  await change('include', { cluster }, command.optsWithGlobals<ChangeOptions>());
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
