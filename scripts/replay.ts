import type { Command } from 'commander';
import { count } from '../federation/count';
import type { FederationRequest } from '../federation/run';
import { failedSinceTheLastCommit, replayRequest } from '../operator/replay';
import { type CommandOptions, type Context, openContext } from './context';
import { startAndShow } from './federate';
import { print, printNote } from './output';
import type { WaitOptions } from './wait-options';

interface ReplayOptions extends CommandOptions, WaitOptions {
  readonly failed?: true;
  readonly json?: true;
}

/** Starts failed federations again. */
export async function replay(named: string[], command: Command): Promise<void> {
  const options = command.optsWithGlobals<ReplayOptions>();
  if ((named.length === 0) !== (options.failed === true)) {
    command.error('error: name the runs to replay, or say --failed', { exitCode: 2 });
  }
  await using context = openContext(options);
  const requests = options.failed ? await failedRequests(context) : await requestsOf(named);
  for (const [at, request] of requests.entries()) {
    try {
      await startAndShow(context, request, options);
    } catch (error) {
      const left = requests.slice(at + 1).flatMap(({ replayOf }) => replayOf ?? []);
      if (left.length > 0) printNote(`Not replayed, because of this failure: ${left.join(', ')}.`);
      throw error;
    }
  }

  async function requestsOf(runs: readonly string[]): Promise<FederationRequest[]> {
    const requests: FederationRequest[] = [];
    for (const run of runs) requests.push(await replayRequest(context, run));
    return requests;
  }
}

/**
 * Returns the requests with which to replay the failed runs. Prints which runs cannot be replayed. Also prints how many
 * runs need no replay of their own, because another failed run has an equal request.
 */
async function failedRequests(context: Context): Promise<readonly FederationRequest[]> {
  const { requests, combined, since, unrecorded, missing } = await failedSinceTheLastCommit(context);
  for (const line of missing) printNote(line);
  for (const run of unrecorded) printNote(`${run} cannot be replayed: its request is not recorded anywhere.`);
  if (combined > 0) printNote(`${count(combined, 'run')} combined with another one whose request is equal.`);
  if (requests.length === 0 && unrecorded.length === 0)
    print(
      `No run ${since === undefined ? 'failed' : `since ${since}, which committed, failed`} and needs a replay. \`federated-etl runs --failed\` lists earlier failures.`,
    );
  return requests;
}
