import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { type FederationProgress, progress } from '../../workflows/messages';
import { until } from '../until';

/** The error of a failed run; throws if it did not fail by its own decision. */
export async function failureOfRun(run: WorkflowHandle): Promise<ApplicationFailure> {
  try {
    await run.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  }
  throw new Error('The run did not fail.');
}

/** The summaries of a run's steps, in the order of its history. */
export async function summariesOf(run: WorkflowHandle): Promise<string[]> {
  const { events } = await run.fetchHistory();
  return (events ?? []).flatMap(({ userMetadata, workflowExecutionStartedEventAttributes: start }) => {
    const summary = userMetadata?.summary;
    // The first event's summary is that of the run itself.
    if (!summary || start) return [];
    return [defaultPayloadConverter.fromPayload<string>(summary)];
  });
}

/** A run's progress, once it satisfies this. */
export function untilProgress(
  run: WorkflowHandle,
  holds: (now: FederationProgress) => boolean,
): Promise<FederationProgress> {
  return until(`progress of ${run.workflowId}`, async () => {
    const now = await run.query(progress);
    return holds(now) ? now : undefined;
  });
}
