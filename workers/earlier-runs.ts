import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ActivityContext } from './as-activity';

const lookEveryMs = 2_000;
/** A run that takes longer than that hangs; others must not hang with it. */
const patienceMs = 30 * 60_000;

/**
 * Ends when no federation that began before this one is running any more, or after half an hour. Two at once are safe, as
 * only one can commit, but one of them would have worked for nothing. (Listings trail by about a second: two that begin
 * in the same second may both go on.)
 */
export async function awaitEarlierRuns(
  client: Client,
  { run, runId, idPrefix }: { run: string; runId: string; idPrefix: string },
  context: ActivityContext,
): Promise<{ waitedFor: string[] }> {
  const { startTime } = await client.workflow.getHandle(run, runId).describe();
  const waitedFor = new Set<string>();
  const until = Date.now() + patienceMs;
  for (;;) {
    const earlier = await earlierRun(client, startTime, run, idPrefix);
    if (earlier !== undefined) waitedFor.add(earlier);
    if (earlier === undefined || Date.now() > until) return { waitedFor: [...waitedFor] };
    context.heartbeat({ waitingFor: earlier });
    await sleep(lookEveryMs, undefined, { signal: context.signal });
  }
}

async function earlierRun(
  client: Client,
  startTime: Date,
  run: string,
  idPrefix: string,
): Promise<string | undefined> {
  const query = `WorkflowType = 'federation' AND ExecutionStatus = 'Running' AND StartTime < '${startTime.toISOString()}'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    // Without a prefix, the runs of federations that have one must not be waited for: theirs do not start like this.
    if (workflowId !== run && workflowId.startsWith(`${idPrefix}federation-`)) return workflowId;
  }
  return undefined;
}
