import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Terminates a workflow that the settings no longer require. Does nothing if the workflow is not running. */
export async function endWorkflow(client: Client, workflowId: string, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
