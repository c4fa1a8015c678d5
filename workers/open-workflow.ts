import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';

/** Returns the description of a workflow, or undefined if it is not running. */
export async function openWorkflow(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  const latest = await latestRun(client, workflowId);
  return latest?.closeTime === undefined ? latest : undefined;
}

/**
 * Returns the description of a workflow's latest execution, which may have ended. Returns undefined if Temporal knows
 * no execution.
 */
export async function latestRun(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
