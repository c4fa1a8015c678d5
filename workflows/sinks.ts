import { proxySinks, type Sinks } from '@temporalio/workflow';
import type { FederationReport, RunOutcome } from '../federation/run';

/**
 * Functions of the worker that a federation calls. Unlike an activity, such a call needs no store, cannot fail the
 * workflow and is not recorded in its history. It is not repeated when the workflow is replayed.
 */
export interface FederationSinks extends Sinks {
  federations: {
    /** Reports that a run has ended. */
    ended(outcome: RunOutcome, error?: FederationReport['error']): void;
  };
}

export const { federations } = proxySinks<FederationSinks>();
