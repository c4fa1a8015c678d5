import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Ends a workflow that the settings do not want any more, if it is there. */
export async function endWorkflow(client: Client, workflowId: string, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
