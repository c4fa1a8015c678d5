import type { InjectedSinks } from '@temporalio/worker';
import type { Log } from '../config/log';
import { catalog } from '../errors/catalog';
import { hintFor, withHint } from '../errors/hints';
import type { FederationReport } from '../federation/run';
import type { FederationSinks } from '../workflows/sinks';
import type { RoleMetrics } from './metrics';

/**
 * Logs and counts federation runs when they end. Each run is counted once, because it ends on only one federator, even
 * if several share its work.
 */
export class FederationEnds {
  constructor(
    private readonly log: Log,
    private readonly metrics: Pick<RoleMetrics, 'federationEnded'>,
  ) {}

  /** Returns the functions that a worker's workflows call to report that they have ended. */
  sinks(): InjectedSinks<FederationSinks> {
    return {
      federations: {
        ended: { fn: ({ workflowId }, outcome, error) => this.ended(workflowId, outcome, error) },
      },
    };
  }

  /** Counts the end of a run. If the run failed, also logs the error. */
  ended(run: string, outcome: FederationReport['outcome'], error: FederationReport['error']): void {
    this.metrics.federationEnded(outcome);
    if (outcome !== 'failed') return;
    const { code, message, hint: own } = error ?? { code: 'INTERNAL', message: 'The cause is unknown.' };
    const hint = hintFor({ code, hint: own }) ?? catalog.FEDERATION_FAILED.hint;
    this.log.error(
      { event: 'federation.failed', run, code, hint },
      `Federator: ${run} failed: ${withHint({ code, message, hint })}`,
    );
  }
}
