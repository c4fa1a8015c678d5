import { makeContinueAsNewFunc, type Workflow, workflowInfo } from '@temporalio/workflow';

/**
 * Continues a workflow as new, and passes it its memo. Otherwise Temporal would copy the memo as it is stored, so that
 * it would for ever be encrypted with the key of the first run.
 */
export function continueWithMemo<Continued extends Workflow>(...args: Parameters<Continued>): Promise<never> {
  const { memo } = workflowInfo();
  return makeContinueAsNewFunc<Continued>(memo && { memo })(...args);
}
