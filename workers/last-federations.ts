import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import { type Finding, freshFor, judgeFreshness } from '../federation/conditions';
import { type RunOutcome, runOutcomes } from '../federation/run';
import type { Run } from '../operator/join-runs';
import { promptly } from '../operator/promptly';
import { describePause } from '../operator/read-schedule';
import { readRuns } from '../operator/runs';
import { listTemporalRuns } from '../operator/temporal-runs';
import { everyMinute } from './every-minute';
import { successful } from './metrics';
import type { RoleContext } from './role';

const answerWithinMs = 10_000;
/** Number of recent runs to check. */
const mostRuns = 100;
/** A federation is overdue after this time at the earliest, in milliseconds. */
const leastFreshMs = 900_000;

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
 * Keeps the metrics and the condition about the last federations up to date. They must also show runs that died,
 * although such a run executes no code at its end. So this function reads the bucket once, for runs that ended before
 * this process started, and then asks Temporal every minute. Before the first run, uses the time at which the schedule
 * was created. Returns a function that stops these updates.
 */
export function watchLastFederations(context: RoleContext): () => void {
  const look = lookAtFederations(context);
  return everyMinute(context.log, 'how the last federations ended', look);
}

/** Returns a function that finds out how the last federations ended, and updates the metrics and the condition. */
export function lookAtFederations(context: RoleContext): () => Promise<void> {
  const { settings, bucket, client, names, metrics, conditions } = context;
  const operator = { settings, names, bucket: async () => bucket, temporal: async () => ({ client }) };
  let bucketRead = false;

  async function recentRuns(): Promise<readonly Pick<Run, 'outcome' | 'endedAt' | 'error'>[]> {
    if (bucketRead) {
      return promptly(client, answerWithinMs, () =>
        listTemporalRuns(client, settings.temporal.idPrefix, mostRuns),
      );
    }
    const { runs, bucketError } = await readRuns(operator, mostRuns);
    bucketRead = bucketError === undefined;
    return runs;
  }

  return async () => {
    try {
      const runs = await recentRuns();
      const ends = lastEnds(runs);
      metrics.federationsEndedAt(ends);
      const schedule = await promptly(client, answerWithinMs, () => describeSchedule(client, names.schedule));
      const since = schedule?.info.createdAt.getTime();
      if (since !== undefined) metrics.scheduledSince(since);
      const paused = schedule?.state.paused ? { note: schedule.state.note ?? '' } : undefined;
      const { runEveryMs } = settings.federator;
      conditions.found(
        'federator',
        'freshness',
        judgeRuns({ runs, ends, since, paused, runEveryMs }, Date.now()),
      );
    } catch (error) {
      conditions.found('federator', 'freshness', { holds: 'unknown' });
      throw error;
    }
  };
}

/**
 * Judges whether the last successful run is recent enough. While the schedule is paused, the condition always holds.
 */
export function judgeRuns(
  {
    runs,
    ends,
    since,
    paused,
    runEveryMs,
  }: {
    readonly runs: readonly Pick<Run, 'outcome' | 'endedAt' | 'error'>[];
    readonly ends: ReadonlyMap<RunOutcome, number>;
    /** Time when the schedule was created, in milliseconds since the epoch. Used until a run has succeeded. */
    readonly since: number | undefined;
    readonly paused: { readonly note: string } | undefined;
    readonly runEveryMs: number;
  },
  now: number,
): Finding {
  if (paused !== undefined) return { holds: 'yes', reason: describePause(paused) };
  const successes = successful.flatMap((outcome) => ends.get(outcome) ?? []);
  const last = successes.length > 0 ? Math.max(...successes) : since;
  const ended = runs.find(({ endedAt }) => endedAt !== undefined);
  const code = ended?.error === undefined ? '' : ` (${ended.error.code})`;
  const why =
    ended?.outcome === 'failed' || ended?.outcome === 'died'
      ? `The last run ${ended.outcome}${code}.`
      : undefined;
  return judgeFreshness(
    { last, limitMs: freshFor(runEveryMs, leastFreshMs), what: 'No federation', why },
    now,
  );
}

/** Describes the schedule of federations. Returns undefined if there is none. */
async function describeSchedule(client: Client, schedule: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(schedule).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
