import type { Client } from '@temporalio/client';
import { errorLines } from '../errors/federation-error';
import { count, describeSourcesToSee } from '../federation/count';
import { followFederation } from '../operator/follow-federation';
import type { FederationSummary } from '../workflows/federation';
import { paintState } from './colour';
import { showProgress } from './progress';

const indent = '  ';

export interface ShowFederationOptions {
  /**
   * Prints lines of text. Called for messages, and for progress if standard error is not a terminal. (Default: prints
   * to standard error)
   */
  readonly say?: (...lines: string[]) => void;
  /** When this signal is aborted, progress is no longer shown. `showFederation` still waits for the end of the run. */
  readonly stop: AbortSignal;
  /** When this signal is aborted, `showFederation` throws WAIT_TIMED_OUT. */
  readonly timeout?: AbortSignal;
}

/** Shows the progress of a federation run until it ends. Returns the run's summary. Throws if the run fails. */
export async function showFederation(
  client: Client,
  run: string,
  { say, stop, timeout }: ShowFederationOptions,
): Promise<FederationSummary> {
  using progress = showProgress(`${indent}Federator`, { say });
  return await followFederation(client, run, {
    progress: ({ merged, planned, phase }) => progress.update(merged, planned, phase),
    unserved: () => progress.note(`${indent}No federator is serving the run; it continues when one does.`),
    stuck: (why) => progress.note(...errorLines(why).map((line) => `${indent}${line}`)),
    stop,
    timeout,
  });
}

/**
 * Describes the result of a run in one line of text. If there are steps that the run could not finish, returns another
 * line for each. If the run merged nothing, returns a last line that says why. The outcome has a colour if `stream` is a
 * terminal.
 */
export function describeFederation(
  summary: FederationSummary,
  stream: NodeJS.WriteStream = process.stdout,
): string[] {
  const outcome = paintState(summary.outcome, stream);
  if (summary.outcome === 'on-hold') return [`${indent}Federator ${outcome}: ${summary.why ?? ''}`];
  const out = summary.excluded.length === 0 ? '' : `, without ${summary.excluded.join(', ')}`;
  const toSee = describeSourcesToSee(summary);
  const generation =
    summary.generation === undefined ? 'nothing to commit' : `generation ${summary.generation}`;
  const members = `${count(summary.clusters, 'cluster')}${out}, ${count(summary.windows, 'window')}`;
  return [
    `${indent}Federator ${outcome}: ${generation}, ${members}, ${summary.merged} merged${toSee === '' ? '' : `, ${toSee}`}`,
    ...summary.unfinished.map((step) => `${indent}Left to the next run: ${step}`),
    ...(summary.why === undefined ? [] : [`${indent}${summary.why}`]),
  ];
}
