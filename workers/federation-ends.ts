import type { InjectedSinks } from '@temporalio/worker';
import type { Log } from '../config/log';
import { catalog, isErrorCode } from '../errors/catalog';
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
    const { code = 'INTERNAL', message = 'The cause is unknown.' } = error ?? {};
    const { hint } = catalog[isErrorCode(code) ? code : 'FEDERATION_FAILED'];
    this.log.error(
      { event: 'federation.failed', run, code, hint },
      `Federator: ${run} failed: ${code}: ${message} ${hint}`,
    );
  }
}
