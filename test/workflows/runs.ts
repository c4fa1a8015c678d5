import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { type FederationProgress, progress } from '../../workflows/messages';
import { until } from '../until';

/** Returns the error with which a run failed. Throws if the run succeeded, was cancelled, or ended in any other way. */
export async function failureOfRun(run: WorkflowHandle): Promise<ApplicationFailure> {
  try {
    await run.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  }
  throw new Error('The run did not fail.');
}

/** Returns the summaries of the activities, timers and child workflows of a run, in the order in which they started. */
export async function summariesOf(run: WorkflowHandle): Promise<string[]> {
  const { events } = await run.fetchHistory();
  return (events ?? []).flatMap(({ userMetadata, workflowExecutionStartedEventAttributes: start }) => {
    const summary = userMetadata?.summary;
    // Skip the first event, because its summary describes the whole run.
    if (!summary || start) return [];
    return [defaultPayloadConverter.fromPayload<string>(summary)];
  });
}

/** Waits until the progress of a run satisfies `holds`, and returns the progress. */
export function untilProgress(
  run: WorkflowHandle,
  holds: (now: FederationProgress) => boolean,
): Promise<FederationProgress> {
  return until(`progress of ${run.workflowId}`, async () => {
    const now = await run.query(progress);
    return holds(now) ? now : undefined;
  });
}

/** Returns the lines that Temporal's UI shows as the current details of a workflow. */
export async function shownDetails(run: WorkflowHandle): Promise<string[]> {
  return (await metadataOf(run)).currentDetails?.split('\n') ?? [];
}

function metadataOf(run: WorkflowHandle): Promise<temporal.api.sdk.v1.IWorkflowMetadata> {
  return run.query<temporal.api.sdk.v1.IWorkflowMetadata>('__temporal_workflow_metadata');
}

/** Returns the names of the signals that Temporal's UI offers for a workflow. Throws if a signal has no description. */
export async function offeredSignals(run: WorkflowHandle): Promise<string[]> {
  const { definition } = await metadataOf(run);
  return (definition?.signalDefinitions ?? [])
    .map(({ name, description }) => {
      if (!description) throw new Error(`${name} has no description`);
      return name ?? '';
    })
    .sort();
}
