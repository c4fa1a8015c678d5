import { type Client, type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';

/** Returns the description of a workflow that has started and not ended. Returns undefined if there is none. */
export async function openWorkflow(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    const described = await client.workflow.getHandle(workflowId).describe();
    return described.closeTime === undefined ? described : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
