import type { Client } from '@temporalio/client';
import { literalMarkdown } from '../etl/visible-text';
import { describeChange } from '../federation/change';
import type { FederationRequest } from '../federation/run';
import type { federation } from '../workflows/federation';
import { names, requestedFederationId } from '../workflows/names';
import { requestMemo } from '../workflows/request-memo';

/** Starts a federation for a request, and returns its workflow id. */
export async function startFederation(
  client: Client,
  idPrefix: string,
  request: FederationRequest,
): Promise<string> {
  const { workflowId } = await client.workflow.start<typeof federation>('federation', {
    workflowId: requestedFederationId(idPrefix, new Date(), request.trigger),
    taskQueue: names(idPrefix).federationQueue,
    args: [{ idPrefix, request }],
    workflowRunTimeout: '12h',
    staticSummary: literalMarkdown(summaryOf(request)),
    memo: requestMemo(request),
  });
  return workflowId;
}

function summaryOf({ trigger, by, change, replayOf }: FederationRequest): string {
  if (replayOf !== undefined) return `replays ${replayOf}`;
  const what = change === undefined ? '' : `: ${describeChange(change)}`;
  return `asked by ${by ?? `a ${trigger}`}${what}`;
}
