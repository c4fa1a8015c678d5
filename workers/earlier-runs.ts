import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { names } from '../workflows/names';
import type { ActivityContext } from './as-activity';

const lookEveryMs = 2_000;
/**
 * Maximum time to wait for earlier runs, in milliseconds. An earlier run that takes even longer is considered stuck and
 * must not block other runs.
 */
const patienceMs = 30 * 60_000;

/**
 * Waits until all federations that started before this one have ended. Stops waiting after half an hour. If two
 * federations ran at the same time, this would do no harm, but the work of one would be wasted: only one of them can
 * commit.
 *
 * A workflow appears in Temporal's list of workflows about a second after its start. So if two federations start within
 * the same second, both may proceed.
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
    // Skip runs of other federations that share the namespace: their ids have a different prefix.
    if (workflowId !== run && workflowId.startsWith(names(idPrefix).federation(''))) return workflowId;
  }
  return undefined;
}
