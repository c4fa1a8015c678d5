import type { FederationRequest } from '../federation/run';
import { exitStatusAfter } from '../operator/exit-status';
import { startFederation } from '../operator/start-federation';
import type { FederationSummary } from '../workflows/federation';
import type { Context } from './context';
import { showFederation } from './federation-progress';
import { stopOnSignals } from './stop-on-signals';
import type { WaitOptions } from './wait-options';

/** Starts a federation run, and returns its id. */
export async function startRun(context: Context, request: FederationRequest): Promise<string> {
  const { client } = await context.temporal();
  return startFederation(client, context.settings.temporal.idPrefix, request);
}

/**
 * Shows the progress of a run until it ends, and returns its result. The outcome of the run becomes the exit status of
 * the verb, unless the verb has failed already. On SIGINT and SIGTERM, stops showing the progress.
 *
 * @throws WAIT_TIMED_OUT if `timeout` is aborted before the run ends
 */
export async function followRun(
  context: Context,
  run: string,
  { timeout }: Pick<WaitOptions, 'timeout'>,
): Promise<FederationSummary> {
  const { client } = await context.temporal();
  using stop = stopOnSignals(context.log);
  const summary = await showFederation(client, run, { stop, timeout });
  process.exitCode = exitStatusAfter(summary.outcome, Number(process.exitCode ?? 0));
  return summary;
}
