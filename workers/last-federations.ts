import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { type RunOutcome, runOutcomes } from '../federation/run';
import type { Run } from '../operator/join-runs';
import { promptly } from '../operator/promptly';
import { readRuns } from '../operator/runs';
import { listTemporalRuns } from '../operator/temporal-runs';
import { everyMinute } from './every-minute';
import type { RoleContext } from './role';

const answerWithinMs = 10_000;
/** Number of recent runs to check. */
const mostRuns = 100;

/**
 * Returns the times at which the last run with each outcome ended, in milliseconds since the epoch. A run that died
 * counts as failed.
 */
export function lastEnds(runs: readonly Pick<Run, 'outcome' | 'endedAt'>[]): Map<RunOutcome, number> {
  const ends = new Map<RunOutcome, number>();
  for (const { outcome, endedAt } of runs) {
    const counted = runOutcomes.find((one) => one === (outcome === 'died' ? 'failed' : outcome));
    if (counted === undefined || endedAt === undefined) continue;
    ends.set(counted, Math.max(ends.get(counted) ?? 0, Date.parse(endedAt)));
  }
  return ends;
}

/**
 * Keeps the metrics about the last federations up to date. They must also show runs that died, although such a run
 * executes no code at its end. So this function reads the bucket once, for runs that ended before this process started,
 * and then asks Temporal every minute. Before the first run, uses the time at which the schedule was created. Returns a
 * function that stops these updates.
 */
export function watchLastFederations(context: RoleContext): () => void {
  const { settings, bucket, client, names, log, metrics } = context;
  const operator = { settings, names, bucket: async () => bucket, temporal: async () => ({ client }) };
  let bucketRead = false;

  async function recentRuns(): Promise<readonly Pick<Run, 'outcome' | 'endedAt'>[]> {
    if (bucketRead) {
      return promptly(client, answerWithinMs, () =>
        listTemporalRuns(client, settings.temporal.idPrefix, mostRuns),
      );
    }
    const { runs, bucketError } = await readRuns(operator, mostRuns);
    bucketRead = bucketError === undefined;
    return runs;
  }

  return everyMinute(log, 'how the last federations ended', async () => {
    metrics.federationsEndedAt(lastEnds(await recentRuns()));
    const since = await promptly(client, answerWithinMs, () => scheduledSince(client, names.schedule));
    if (since !== undefined) metrics.scheduledSince(since.getTime());
  });
}

/** Returns when the schedule of federations was created, or undefined if there is none. */
async function scheduledSince(client: Client, schedule: string): Promise<Date | undefined> {
  try {
    return (await client.schedule.getHandle(schedule).describe()).info.createdAt;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
