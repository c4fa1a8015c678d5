import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';
import { FederationError } from '../errors/federation-error';
import { isKeyError } from '../errors/key-errors';
import { knownError } from '../errors/known-error';

const { WorkflowTaskFailedCause } = temporal.api.enums.v1;

/**
 * A workflow counts as stuck if one of its tasks has reached this attempt, which means that the first attempt has
 * failed.
 */
const attemptOfStuck = 2;

/** Number of events at the end of a history among which the failed task is looked for: signals may follow it. */
const lastEvents = 100;

/** Returns whether a workflow makes no progress. */
export function isStuck({ raw }: Pick<WorkflowExecutionDescription, 'raw'>): boolean {
  return (raw.pendingWorkflowTask?.attempt ?? 0) >= attemptOfStuck;
}

/** Returns why the last task of a workflow has failed. Returns undefined if it has not failed. */
export async function stuckOn(client: Client, workflowId: string): Promise<FederationError | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: lastEvents,
  });
  const ended = history?.events?.find(
    ({ workflowTaskFailedEventAttributes: failed, workflowTaskCompletedEventAttributes: completed }) =>
      failed ?? completed,
  );
  const failed = ended?.workflowTaskFailedEventAttributes;
  if (!failed) return undefined;
  const error = await errorOf(client, failed.failure);
  if (isKeyError(error)) return error.about({ key: workflowId });
  const badAttributes = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const code = failed.cause === badAttributes ? 'SEARCH_ATTRIBUTES_MISSING' : 'FEDERATION_FAILED';
  return new FederationError(code, {
    subject: { key: workflowId },
    detail: `The run is stuck: ${error?.detail ?? 'its workflow fails again and again'}.`,
    hint:
      code === 'SEARCH_ATTRIBUTES_MISSING'
        ? 'A running federator registers them within minutes, and the run goes on. If it cannot, its log says why.'
        : `Read the log of the federator. \`temporal workflow terminate -w ${workflowId}\` ends the run.`,
  });
}

/** Returns the error of a failure, whose message is inside a payload if payloads are encrypted. */
async function errorOf(
  client: Client,
  failure: temporal.api.failure.v1.IFailure | null | undefined,
): Promise<FederationError | undefined> {
  const error = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, failure);
  return error && knownError(error);
}
