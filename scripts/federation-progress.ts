import type { Client } from '@temporalio/client';
import { followFederation } from '../operator/follow-federation';
import type { FederationSummary } from '../workflows/federation';
import { showProgress } from './progress';

const indent = '  ';

export interface ShowFederationOptions {
  /** Prints a line of progress. Only called if there is no terminal. (Default: prints to standard error) */
  readonly say?: (line: string) => void;
  /** Once this signal is aborted, progress is no longer shown. */
  readonly stop: AbortSignal;
}

/** Follows a run to its end and shows its progress. Returns the run's summary, or throws the run's error. */
export async function showFederation(
  client: Client,
  run: string,
  { say, stop }: ShowFederationOptions,
): Promise<FederationSummary> {
  using progress = showProgress(`${indent}Federator`, { say });
  return await followFederation(client, run, {
    progress: ({ merged, planned, phase }) => progress.update(merged, planned, phase),
    unserved: () => progress.note(`${indent}No federator is serving the run; it continues when one does.`),
    stop,
  });
}

/** Describes the result of a run in one line. */
export function describeFederation(summary: FederationSummary): string {
  const out = summary.excluded.length === 0 ? '' : `, without ${summary.excluded.join(', ')}`;
  const quarantined = summary.quarantined === 0 ? '' : `, ${summary.quarantined} sources quarantined`;
  const generation =
    summary.generation === undefined ? 'nothing to commit' : `generation ${summary.generation}`;
  return `${indent}Federator ${summary.outcome}: ${generation}, ${summary.clusters} clusters${out}, ${summary.windows} windows, ${summary.merged} merged${quarantined}`;
}
