import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Terminates a workflow that is no longer wanted according to the settings, if it exists. */
export async function endWorkflow(client: Client, workflowId: string, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
