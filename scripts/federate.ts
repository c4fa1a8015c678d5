import type { Command } from 'commander';
import type { FederationRequest } from '../federation/run';
import { dryRun } from '../operator/dry-run';
import { requireCommittable } from '../operator/hold';
import { personRequest } from '../operator/person-request';
import { type CommandOptions, type Context, openContext } from './context';
import { describeFederation } from './federation-progress';
import { followRun, startRun } from './follow-run';
import { print, printJson } from './output';
import { showPlan } from './show-dry-run';
import type { WaitOptions } from './wait-options';
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

/** Starts a federation. */
export async function federate(command: Command): Promise<void> {
  const options = command.optsWithGlobals<FederateOptions>();
  await using context = openContext(options);
  const request = requestOf(options);
  if (options.dryRun) return showPlan(await dryRun(context, request), options);
  await startAndShow(context, request, options);
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
