import type { Command } from 'commander';
import type { FederationRequest } from '../federation/run';
import { dryRun } from '../operator/dry-run';
import { requireCommittable } from '../operator/hold';
import { personRequest } from '../operator/person-request';
import { type CommandOptions, type Context, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson } from './output';
import { parseCount, parseSpan } from './parse-options';
import { dryRunOption, showPlan } from './show-dry-run';
import { timeoutOption, type WaitOptions } from './wait-options';
import { whoAmI } from './who';

interface FederateOptions extends CommandOptions, WaitOptions {
  readonly dryRun?: true;
  readonly window?: { start: number; end: number };
  readonly force?: true;
  readonly full?: true;
  readonly takeOver?: true;
  readonly resume?: true;
  readonly from?: number;
  readonly newFederation?: true;
  readonly json?: true;
}

/** Adds the verb `federate` to the command line. */
export function registerFederate(program: Command): void {
  program
    .command('federate')
    .description('start a federation now; it waits for one that is running')
    .option(
      '--wait',
      'show its progress and wait for it to end; exit status 1 if it fails, 3 if it is partial',
    )
    .addOption(timeoutOption())
    .option(...dryRunOption)
    .option(
      '--window <start,end>',
      'only windows that overlap this span, in unix seconds or RFC 3339',
      parseSpan,
    )
    .option('--force', 'merge the windows again even if nothing changed')
    .option('--full', 'list the whole bucket, and check every window and every refused source again')
    .option('--take-over', 'commit even if the last commit is by another federator with another membership')
    .option(
      '--new-federation',
      'begin a new federation if the bucket is empty, another one, or was restored to an earlier state',
    )
    .option('--resume', 'end the hold that a rollback has put on the federation')
    .option(
      '--from <generation>',
      'start from this generation instead of the newest one, which is damaged',
      parseCount,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl federate --wait\n  federated-etl federate --force --window 2026-11-14T00:00:00Z,2026-11-15T00:00:00Z\n',
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<FederateOptions>();
      await using context = openContext(options);
      const request = requestOf(options);
      if (options.dryRun) return showPlan(await dryRun(context, request), options);
      await startAndShow(context, request, options);
    });
}

/**
 * Starts a federation run. With `wait`, waits until the run ends and prints its result. Otherwise prints how to follow
 * the run.
 *
 * @throws FEDERATION_ON_HOLD or GENERATION_UNREADABLE if the run could certainly not commit. The run is then
 *   not started.
 */
export async function startAndShow(
  context: Context,
  request: FederationRequest,
  { wait, timeout, json }: WaitOptions & { readonly json?: true },
): Promise<void> {
  await requireCommittable(context, request);
  const run = await startRun(context, request);
  if (!wait) {
    if (json) printJson({ run });
    else print(`${run} has started. Follow it in the Temporal UI, or with \`federated-etl runs\`.`);
    return;
  }
  const summary = await followRun(context, run, { timeout });
  if (json) printJson(summary);
  else print(...describeFederation(summary));
}

function requestOf(options: FederateOptions): FederationRequest {
  return personRequest(whoAmI(), {
    ...(options.window === undefined ? {} : { windows: options.window }),
    ...(options.force === undefined ? {} : { force: true }),
    ...(options.full === undefined ? {} : { full: true }),
    ...(options.takeOver === undefined ? {} : { takeOver: true }),
    ...(options.resume === undefined ? {} : { resume: true }),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.newFederation === undefined ? {} : { newFederation: true }),
  });
}
