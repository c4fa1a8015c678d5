import type { Command } from 'commander';
import { dryRun } from '../operator/dry-run';
import { ownsName, readGivenName } from '../operator/give-name';
import { decisionRequest } from '../operator/person-request';
import { confirm } from './confirm';
import { type CommandOptions, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson, printNote } from './output';
import { nothingChanged, showPlan } from './show-dry-run';
import type { WaitOptions } from './wait-options';
import { whoAmI } from './who';

export interface GiveNameOptions extends CommandOptions, WaitOptions {
  readonly name: string;
  readonly reason?: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/**
 * Shows which cluster owns a name, asks for confirmation, and starts a federation that gives the name to another
 * cluster.
 */
export async function giveName(command: Command, id: string, options: GiveNameOptions): Promise<void> {
  await using context = openContext(options);
  const given = await readGivenName(await context.bucket(), id, options.name);
  const { cluster, name, owner, damaged } = given;
  const { json, reason } = options;
  if (owner === cluster) {
    if (json) printJson({ ...given, state: 'owned already' });
    else print(`${cluster} owns the name ${name} already. ${nothingChanged}`);
    return;
  }
  const request = decisionRequest(whoAmI(), { kind: 'give-name', cluster, name }, reason);
  if (options.dryRun) return showPlan(await dryRun(context, request), options, given);
  for (const line of damaged) printNote(line);
  const question = `Give the name ${name} of ${owner} to ${cluster}? Records of ${owner} with this name leave the total, and nothing new of ${owner} is merged while its files carry it.`;
  if (!(await confirm(command, question, options))) return;
  const run = await startRun(context, request);
  if (!options.wait) {
    if (json) return printJson({ run, ...given });
    return print(
      `${run} has started; the name is given away when it commits. Follow it with \`federated-etl runs\`.`,
    );
  }
  const summary = await followRun(context, run, options);
  const owns = await ownsName(await context.bucket(), given);
  if (!owns) process.exitCode = 1;
  if (json) return printJson({ ...summary, ...given, owns });
  print(...describeFederation(summary));
  print(owns ? `${cluster} owns the name ${name} now.` : `${owner} still owns the name ${name}.`);
}
