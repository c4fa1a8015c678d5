import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ActivityContext } from './as-activity';

const lookEveryMs = 2_000;
/** Longest time to wait. A run that takes longer than this is regarded as stuck, and must not block others. */
const patienceMs = 30 * 60_000;

/**
 * Waits until no federation that started before this one is running, but for half an hour at most. Two federations at
 * once are safe, but a waste: only one of them can commit, and the work of the other is lost. (Listings lag by about a
 * second, so two federations that start in the same second may both proceed.)
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
    // Skip runs of other federations in the namespace: their ids start with a different prefix.
    if (workflowId !== run && workflowId.startsWith(`${idPrefix}federation-`)) return workflowId;
  }
  return undefined;
}
